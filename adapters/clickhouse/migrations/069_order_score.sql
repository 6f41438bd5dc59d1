-- How unusual each entry of ours was among those before it, by rules and by an isolation forest; written by the
-- Dagster asset scored_orders. A score blocks nothing: above 0.8 it is an alert.
CREATE TABLE IF NOT EXISTS order_score (
    run_id LowCardinality(String) COMMENT 'Run the order belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account, ours',
    strategy LowCardinality(String) COMMENT 'Strategy that asked for it',
    source LowCardinality(String) COMMENT 'Broker or feed',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    order_id String COMMENT 'Our order',
    ts_event DateTime64(6, 'UTC') COMMENT 'When it was sent, market time',
    size_ratio Float64 COMMENT 'Lots over the median of the strategy in the feed before it; 1 while there is none',
    hour_share Float64 COMMENT 'Share of the orders of the strategy before it in this hour of the UTC day; 1 while unknown',
    slippage_z Float64 COMMENT 'Slippage against the mid at the decision, in robust deviations from that of orders before',
    repeats Float64 COMMENT 'Entries of the strategy on the same side of the feed in the minute before it',
    rule_score Float64 COMMENT 'Highest word of the rules, 0 to 1',
    forest_score Float64 COMMENT 'The forest: 0 for the usual order, 0.8 for the oddest it was trained on, 1; -1: too few orders',
    score Float64 COMMENT 'The higher of both',
    reason LowCardinality(String) COMMENT 'What says so most: size, hour, slippage, repeats or forest',
    trained_on UInt64 COMMENT 'Orders that the forest was trained on',
    version LowCardinality(String) COMMENT 'Of rules and forest'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, account, order_id)
SETTINGS non_replicated_deduplication_window = 10000;
