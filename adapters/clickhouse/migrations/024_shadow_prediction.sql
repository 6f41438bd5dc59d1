-- Predictions of the challenger on the rows of the champion's run. Nothing trades on them.
CREATE TABLE IF NOT EXISTS shadow_prediction (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    strategy LowCardinality(String) COMMENT 'Strategy that asked for it',
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'Market time; its feature row has the same run_id, source, symbol, ts_event and seq',
    seq UInt32 CODEC (ZSTD(1)) COMMENT 'Count of the causing tick within its millisecond',
    ts_init DateTime64(6, 'UTC') CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'When the record was made; in a replay the market time',
    model LowCardinality(String) COMMENT 'SHA-256 of the challenger',
    feature_set_hash LowCardinality(String) COMMENT 'Feature set the model was given',
    p_down Float32 COMMENT 'Probability of a fall beyond costs',
    p_flat Float32 COMMENT 'Probability of neither',
    p_up Float32 COMMENT 'Probability of a rise beyond costs',
    confidence Float32 COMMENT 'Largest of the probabilities of a move',
    agreement Float32 COMMENT '1 minus the mean distance of the members from the prediction',
    veto Bool COMMENT 'The row lies outside the training range',
    absent UInt32 COMMENT 'Bit m: member m, in the order of the manifest, had no part in it',
    members Array(Float32) COMMENT 'Calibrated p_down, p_flat, p_up of every member; NaN when absent'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (run_id, source, symbol, ts_event, seq, model)
SETTINGS non_replicated_deduplication_window = 10000;
