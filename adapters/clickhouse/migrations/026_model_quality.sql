-- How well a model and each of its members did on a span of a run, once the answers were known.
CREATE TABLE IF NOT EXISTS model_quality (
    run_id LowCardinality(String) COMMENT 'Run whose predictions were judged',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    model LowCardinality(String) COMMENT 'SHA-256 of the model',
    member LowCardinality(String) COMMENT 'Member of it; empty for the whole model',
    role LowCardinality(String) COMMENT 'champion or challenger',
    ts_start DateTime64(6, 'UTC') COMMENT 'Market time of the first row',
    ts_end DateTime64(6, 'UTC') COMMENT 'Market time of the last row',
    predictions UInt64 COMMENT 'Predictions whose answer is known',
    hit_rate Float64 COMMENT 'Share of rows whose likeliest class came',
    brier Float64 COMMENT 'Brier score, 0 to 2, less is better',
    brier_shares Float64 COMMENT 'The same of the training part class shares',
    calibration_error Float64 COMMENT 'Mean distance of said and true share of rises and falls',
    vetoed Float64 COMMENT 'Share of rows outside the training range',
    net_bp Float64 COMMENT 'Sum over decisions of the move less spread and slippage, bp',
    decisions UInt64 COMMENT 'Positions the threshold would have opened'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, model, member, ts_start, ts_end)
SETTINGS non_replicated_deduplication_window = 10000;
