-- The regime that a feed is in, after each quarter of an hour with enough traded minutes; written by the executions
-- flow. Known only from what came before, so that a replay and a live run say the same of the same minutes.
CREATE TABLE IF NOT EXISTS regime (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    source LowCardinality(String) COMMENT 'Where the quotes come from',
    symbol LowCardinality(String) COMMENT 'What is quoted',
    ts_event DateTime64(6, 'UTC') COMMENT 'End of the quarter, market time',
    regime LowCardinality(String) COMMENT 'calm, normal or wild: the third of its own twenty days; at first unknown',
    level_bp Float64 COMMENT 'What a minute moves in the present run, root mean square, basis points',
    lasted_min Float64 COMMENT 'Expected age of the present run, minutes of trading',
    fresh Float64 COMMENT 'Probability that the run began within the last two quarters'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (source, symbol, run_id, ts_event)
SETTINGS non_replicated_deduplication_window = 10000;
