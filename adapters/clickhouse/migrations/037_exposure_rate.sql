-- What accounts hold and how often they speak to their brokers; written by the Quix application
-- `python -m streams.quix exposure` from topic order_events (Kafka only).
CREATE TABLE IF NOT EXISTS exposure_rate (
    run_id LowCardinality(String) COMMENT 'Run the account trades in',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account, ours',
    source LowCardinality(String) COMMENT 'Broker of the symbol',
    symbol LowCardinality(String) COMMENT 'Symbol that changed',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time of the change',
    seq UInt64 COMMENT 'Journal sequence after which it holds',
    net_lots Float64 COMMENT 'Signed lots of the symbol over all strategies',
    net_notional Float64 COMMENT 'Lots times contract size times average entry, quote currency',
    gross_lots Float64 COMMENT 'Lots of all positions of the account, long and short alike',
    messages_1s UInt32 COMMENT 'Orders, changes, cancellations sent within the second before',
    messages_60s UInt32 COMMENT 'The same within the minute before'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, account, seq, source, symbol)
SETTINGS non_replicated_deduplication_window = 10000;
