-- Value at risk and expected shortfall of each row of portfolio_risk, by measure, confidence and horizon. Losses are
-- positive. How each is computed: risk/value_at_risk.py, docs/adr/0020-risk.md.
CREATE TABLE IF NOT EXISTS value_at_risk (
    run_id LowCardinality(String) COMMENT 'Run the account trades in',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account, ours',
    strategy LowCardinality(String) COMMENT 'Whose positions; empty: all of the account',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time, that of portfolio_risk',
    measure LowCardinality(String) COMMENT 'historical, filtered, parametric or monte_carlo',
    confidence Float64 COMMENT '0.95 or 0.99',
    horizon LowCardinality(String) COMMENT '1h or 1d',
    value_at_risk Float64 COMMENT 'Loss exceeded with a probability of 1 - confidence; account currency',
    expected_shortfall Float64 COMMENT 'Mean of the losses beyond; account currency'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (account, run_id, strategy, measure, confidence, horizon, ts_event)
SETTINGS non_replicated_deduplication_window = 10000;
