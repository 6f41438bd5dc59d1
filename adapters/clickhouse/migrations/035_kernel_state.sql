-- The kernel's memory of a feed at every full hour of market time: `tickhouse explain` starts here
-- instead of at the run's first tick. One row an hour and feed; the key repeats, a repeat replaces.
CREATE TABLE IF NOT EXISTS kernel_state (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'Full hour of market time: every tick before it is in the state, none after',
    feature_set_hash LowCardinality(String) COMMENT 'Feature set whose kernel it is',
    state String CODEC (ZSTD(3)) COMMENT 'Snapshot as features/state.py writes it'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (run_id, source, symbol, ts_event)
SETTINGS non_replicated_deduplication_window = 10000;
