-- How far features and predictions of a span are from those the model was trained on.
CREATE TABLE IF NOT EXISTS model_drift (
    run_id LowCardinality(String) COMMENT 'Run whose rows were compared',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    model LowCardinality(String) COMMENT 'SHA-256 of the model',
    ts_start DateTime64(6, 'UTC') COMMENT 'Market time of the first row',
    ts_end DateTime64(6, 'UTC') COMMENT 'Market time of the last row',
    name LowCardinality(String) COMMENT 'Feature, p_down or p_up',
    compared UInt64 COMMENT 'Rows compared',
    psi Float64 COMMENT 'Population stability index over ten bands; above 0.2 is a change',
    ks Float64 COMMENT 'Largest distance of the distributions at the edges of the bands',
    missing Float64 COMMENT 'Share of rows without a value',
    missing_then Float64 COMMENT 'The same in training'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, model, ts_start, ts_end, name)
SETTINGS non_replicated_deduplication_window = 10000;
