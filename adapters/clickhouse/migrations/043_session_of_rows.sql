-- Which start a row comes from. Empty in a replay, whose run is its session, and in rows from before
-- there were sessions. (The linter does not know ADD COLUMN's comments.)
ALTER TABLE prediction ADD COLUMN IF NOT EXISTS session_id LowCardinality(String) COMMENT 'Session that predicted; empty: its run is' -- noqa: PRS
;
ALTER TABLE shadow_prediction ADD COLUMN IF NOT EXISTS session_id LowCardinality(String) COMMENT 'Session that predicted; empty: its run is' -- noqa: PRS
;
ALTER TABLE signal ADD COLUMN IF NOT EXISTS session_id LowCardinality(String) COMMENT 'Session that decided; empty: its run is' -- noqa: PRS
;
ALTER TABLE order_event ADD COLUMN IF NOT EXISTS session_id LowCardinality(String) COMMENT 'Session that journalled it; empty: its run is' -- noqa: PRS
;
