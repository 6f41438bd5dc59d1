-- An order that waits may be one of a group: the first that is filled has the others taken back (ADR 0021).
ALTER TABLE signal ADD COLUMN IF NOT EXISTS one_of LowCardinality(String) COMMENT 'Group whose first fill has the others taken back; empty: none' -- noqa: PRS
;
