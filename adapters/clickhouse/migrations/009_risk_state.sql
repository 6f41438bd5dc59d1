-- Trading state and who set it. Two changes may share a microsecond in a replay.
CREATE TABLE IF NOT EXISTS risk_state (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the record was made; in a replay the market time',
    state LowCardinality(String) COMMENT 'active, reducing or halted',
    by LowCardinality(String) COMMENT 'Person or check',
    reason String COMMENT 'Why'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, account, ts_event, ts_init, state)
SETTINGS non_replicated_deduplication_window = 10000;
