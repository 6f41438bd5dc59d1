-- Target positions. Every signal carries its own exits.
CREATE TABLE IF NOT EXISTS signal (
    signal_id String COMMENT 'Deterministic: same run, strategy and tick give the same id',
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    strategy LowCardinality(String) COMMENT 'Strategy that asked for it',
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time of the tick that caused it',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the record was made; in a replay the market time',
    time_msc Int64 COMMENT 'Unix milliseconds of that tick',
    seq UInt32 COMMENT 'Count of that tick within its millisecond',
    target Float64 COMMENT '-1 to 1: share of the full position, the sign is the direction',
    reference_price Float64 COMMENT 'Mid at ts_event',
    stop_price Float64 COMMENT 'Stop; 0 when target is 0',
    ts_horizon DateTime64(6, 'UTC') COMMENT 'Market time at which the position closes',
    ts_expires DateTime64(6, 'UTC') COMMENT 'After this it may not open or add',
    confidence Float64 COMMENT '0 to 1',
    model LowCardinality(String) COMMENT 'SHA-256 of the artefact, or the strategy name when no model spoke',
    prediction_id String COMMENT 'Prediction behind it; empty when no model spoke'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, source, symbol, ts_event, signal_id)
SETTINGS non_replicated_deduplication_window = 10000;
