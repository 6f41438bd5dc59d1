-- Backups that left the host, written when the whole of one was stored there. What failed is in the home's note
-- (tickhouse status) and in Dagster: a table in the warehouse cannot tell of the warehouse's own loss.
CREATE TABLE IF NOT EXISTS offsite_backup (
    name String COMMENT 'Name at the destination: the moment it is of, and the home',
    ts_event DateTime64(6, 'UTC') COMMENT 'Moment of its files',
    size UInt64 COMMENT 'Bytes as stored, compressed and encrypted',
    files UInt64 COMMENT 'Files in it',
    row_count UInt64 COMMENT 'Rows of the warehouse in it',
    seconds Float64 COMMENT 'How long it took'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (ts_event, name)
SETTINGS non_replicated_deduplication_window = 10000;
