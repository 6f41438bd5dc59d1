-- Histogram deltas of heartbeats; summed they give exact counts and percentiles within 3 %.
CREATE TABLE IF NOT EXISTS stage_latency (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    process LowCardinality(String) COMMENT 'Process that measured',
    incarnation UInt64 COMMENT 'Start time of the process, Unix microseconds',
    heartbeat UInt64 COMMENT 'Count of its heartbeats',
    stage LowCardinality(String) COMMENT 'Stage, see core.metrics',
    ts_event DateTime64(6, 'UTC') COMMENT 'Time of the heartbeat',
    bucket UInt16 COMMENT 'Bucket of the histogram',
    upper_ns UInt64 COMMENT 'Largest duration in that bucket',
    count UInt64 COMMENT 'Durations in that bucket since the last heartbeat',
    max_ns UInt64 COMMENT 'Largest of the stage since the last heartbeat'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, process, stage, incarnation, heartbeat, bucket)
SETTINGS non_replicated_deduplication_window = 10000;
