-- How feeds moved together in the minutes before, exponentially weighted and shrunk: each pair once, a feed with
-- itself too. Live each minute of market time, in a replay while something is held.
CREATE TABLE IF NOT EXISTS correlation (
    run_id LowCardinality(String) COMMENT 'Run of the ticks',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time: end of the newest minute',
    source LowCardinality(String) COMMENT 'Broker of the first',
    symbol LowCardinality(String) COMMENT 'The first feed',
    other_source LowCardinality(String) COMMENT 'Broker of the second',
    other_symbol LowCardinality(String) COMMENT 'The second feed',
    correlation Float64 COMMENT 'From -1 to 1',
    sigma Float64 COMMENT 'Volatility of the return of a minute of the first',
    other_sigma Float64 COMMENT 'The same of the second'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (run_id, source, symbol, other_source, other_symbol, ts_event)
SETTINGS non_replicated_deduplication_window = 10000;
