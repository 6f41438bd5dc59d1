-- What a strategy that remembers had in mind before the row of each of its signals: `tickhouse explain`
-- decides from here. The key repeats, a repeat replaces.
CREATE TABLE IF NOT EXISTS strategy_state (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    strategy LowCardinality(String) COMMENT 'Strategy that decided',
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time of the row it decided on',
    signal_id String COMMENT 'Signal of that row',
    state String CODEC (ZSTD(3)) COMMENT 'float64 values behind the row before it, folded from all rows of the feed'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (run_id, strategy, source, symbol, ts_event, signal_id)
SETTINGS non_replicated_deduplication_window = 10000;
