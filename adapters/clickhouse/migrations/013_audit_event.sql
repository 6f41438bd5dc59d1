-- Who did what. Append only: never a Replacing engine, so that nothing disappears by a repeat.
-- Each stream has one writer, which numbers and hashes.
CREATE TABLE IF NOT EXISTS audit_event (
    stream LowCardinality(String) COMMENT 'Audit stream',
    seq UInt64 COMMENT 'Number within the stream, from 1 without gaps',
    ts_event DateTime64(6, 'UTC') COMMENT 'When it happened',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the record was made',
    run_id LowCardinality(String) COMMENT 'Run it concerns; empty when none',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    actor LowCardinality(String) COMMENT 'Person or process',
    action LowCardinality(String) COMMENT 'What was done',
    subject String COMMENT 'What it was done to',
    detail String COMMENT 'JSON',
    previous_hash String COMMENT 'Hash of the record before in the stream',
    hash String COMMENT 'Hash of this record'
)
ENGINE = {engine:MergeTree}
ORDER BY (stream, seq)
SETTINGS non_replicated_deduplication_window = 10000;
