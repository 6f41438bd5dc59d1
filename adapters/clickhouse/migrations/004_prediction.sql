-- Model outputs. Run, source, symbol, time and count are those of the feature row it was made from.
CREATE TABLE IF NOT EXISTS prediction (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    strategy LowCardinality(String) COMMENT 'Strategy that asked for it',
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'Market time; its feature row has the same run_id, source, symbol, ts_event and seq',
    seq UInt32 CODEC (ZSTD(1)) COMMENT 'Count of the causing tick within its millisecond',
    ts_init DateTime64(6, 'UTC') CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'When the record was made; in a replay the market time',
    model LowCardinality(String) COMMENT 'SHA-256 of the model artefact',
    feature_set_hash LowCardinality(String) COMMENT 'Feature set the model was given',
    p_down Float32 COMMENT 'Probability of a fall beyond costs',
    p_flat Float32 COMMENT 'Probability of neither',
    p_up Float32 COMMENT 'Probability of a rise beyond costs',
    confidence Float32 COMMENT 'Largest of the probabilities of a move',
    prediction_id String ALIAS concat(
        run_id, '.', source, '.', symbol, '.', toString(toUnixTimestamp64Milli(ts_event)), '.', toString(seq)
    ) COMMENT 'Name of the prediction, as signals carry it'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (run_id, source, symbol, ts_event, seq)
SETTINGS non_replicated_deduplication_window = 10000;
