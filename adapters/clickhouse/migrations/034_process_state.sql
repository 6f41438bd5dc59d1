-- How each process is, by its heartbeats: one row per start of a process, the newest heartbeat in it.
-- `stage_latency` has rows only of what was measured, so an idle process would look like a dead one.
CREATE TABLE IF NOT EXISTS process_state (
    run_id LowCardinality(String) COMMENT 'Run the process works for',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    process LowCardinality(String) COMMENT 'Name of the process',
    incarnation UInt64 COMMENT 'Its start, Unix microseconds',
    heartbeat UInt64 COMMENT 'Count of its heartbeats',
    ts_event DateTime64(6, 'UTC') COMMENT 'Time of that heartbeat',
    status LowCardinality(String) COMMENT 'starting, ready, degraded or stopping',
    detail String COMMENT 'What it says of itself, for a person'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, process, incarnation)
SETTINGS non_replicated_deduplication_window = 10000;
