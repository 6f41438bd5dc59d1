-- The account as the terminal reports it.
CREATE TABLE IF NOT EXISTS account_state (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the record was made; in a replay the market time',
    seq UInt64 COMMENT 'Journal record after which it holds',
    currency LowCardinality(String) COMMENT 'Account currency',
    balance Float64 COMMENT 'Without open profit',
    equity Float64 COMMENT 'With open profit',
    margin Float64 COMMENT 'In use'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, account, seq)
SETTINGS non_replicated_deduplication_window = 10000;
