-- What a start consists of: the processes that beat and the feeds that are collected. Alert rules hold what
-- happens against it, so that what never spoke, or fell silent long ago, is not forgotten.
CREATE TABLE IF NOT EXISTS session_part (
    session_id String COMMENT 'Session it belongs to',
    kind LowCardinality(String) COMMENT 'process or feed',
    name LowCardinality(String) COMMENT 'The process; of a feed source and symbol with a slash between',
    hours LowCardinality(String) COMMENT 'Trading hours of a feed: forex, metal or always; empty for a process'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (session_id, kind, name)
SETTINGS non_replicated_deduplication_window = 10000;
