-- A signal may carry more exits than stop and horizon. (The linter does not know ADD COLUMN's comments.)
ALTER TABLE signal ADD COLUMN IF NOT EXISTS take_profit Float64 COMMENT 'Price at which the venue closes with a gain; 0: none' -- noqa: PRS
;
ALTER TABLE signal ADD COLUMN IF NOT EXISTS trail Float64 COMMENT 'Distance in price at which the stop follows a gain; 0: it stays' -- noqa: PRS
;
