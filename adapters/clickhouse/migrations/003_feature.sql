-- Feature vectors, one row per sampled tick. The Float32 columns come from the feature catalogue:
-- adapters/clickhouse/migrate.py adds those that are missing.
CREATE TABLE IF NOT EXISTS feature (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    strategy LowCardinality(String) COMMENT 'Strategy that asked for it',
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'Market time',
    seq UInt32 CODEC (ZSTD(1)) COMMENT 'Count of the causing tick within its millisecond',
    ts_init DateTime64(6, 'UTC') CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'When the record was made; in a replay the market time',
    feature_set_hash LowCardinality(String) COMMENT 'Names, order, windows and version of the feature set',
    mid Float64 COMMENT 'Middle of bid and ask',
    spread Float64 COMMENT 'Ask minus bid'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (run_id, source, symbol, ts_event, seq)
SETTINGS non_replicated_deduplication_window = 10000;
