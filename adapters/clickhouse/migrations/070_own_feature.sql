-- Features of a person's own: a row per sampled tick and feature, beside the catalogue's columns in feature, under the
-- hash of the set that the session names. A model or strategy got exactly these values. (The linter does not know
-- ADD COLUMN's comments.)
CREATE TABLE IF NOT EXISTS own_feature (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    name LowCardinality(String) COMMENT 'Feature: its file is NAME.py in the features of its session',
    ts_event DateTime64(6, 'UTC') CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'Market time, as in feature',
    seq UInt32 CODEC (ZSTD(1)) COMMENT 'Count of the causing tick within its millisecond',
    feature_set_hash LowCardinality(String) COMMENT 'The catalogue with all own features, each by its file',
    session_id LowCardinality(String) COMMENT 'Session that computed it; empty: its run is',
    value Float32 CODEC (ZSTD(1)) COMMENT 'NaN before its warm-up, and where it was not finite'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (run_id, source, symbol, name, ts_event, seq)
SETTINGS non_replicated_deduplication_window = 10000;
ALTER TABLE kernel_state ADD COLUMN IF NOT EXISTS own_set_hash LowCardinality(String) COMMENT 'Set of the own features in own_state; empty: none' -- noqa: PRS
;
ALTER TABLE kernel_state ADD COLUMN IF NOT EXISTS own_state String CODEC (ZSTD(3)) COMMENT 'Their memory as features/own_columns.py writes it' -- noqa: PRS
;
ALTER TABLE session ADD COLUMN IF NOT EXISTS features_hash String COMMENT 'Own features: hash of a row of content; empty without any' -- noqa: PRS
;
