-- Net position per symbol after each change.
CREATE TABLE IF NOT EXISTS position (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    strategy LowCardinality(String) COMMENT 'Strategy that asked for it',
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the record was made; in a replay the market time',
    seq UInt64 COMMENT 'Journal record after which it holds',
    volume Float64 COMMENT 'Signed lots',
    price Float64 COMMENT 'Average entry',
    stop_price Float64 COMMENT 'Stop at the venue',
    profit_realised Float64 COMMENT 'Since the run began, after costs, account currency'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, account, source, symbol, seq)
SETTINGS non_replicated_deduplication_window = 10000;
