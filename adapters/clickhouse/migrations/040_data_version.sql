-- As of when a model's dataset was read: what was corrected later it has not learnt from.
ALTER TABLE model ADD COLUMN IF NOT EXISTS data_version DateTime64(6, 'UTC') COMMENT 'Ticks were read as they were known then; 1970: of before this was kept' -- noqa: PRS,LT05
;
