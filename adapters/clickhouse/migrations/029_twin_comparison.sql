-- Orders as the broker filled them beside what a simulated terminal on the same ticks made of them.
CREATE TABLE IF NOT EXISTS twin_comparison (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    strategy LowCardinality(String) COMMENT 'Strategy that asked for it',
    order_id String COMMENT 'Our order',
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'When the order was journalled',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the comparison was made',
    side LowCardinality(String) COMMENT 'buy or sell',
    purpose LowCardinality(String) COMMENT 'entry, horizon, opposite or flatten',
    volume Float64 COMMENT 'Lots asked for',
    price Float64 COMMENT 'Price asked for',
    arrival_mid Float64 COMMENT 'Mid when the decision arrived',
    real_outcome LowCardinality(String) COMMENT 'What the broker made of it: filled, rejected, ...',
    real_reason String COMMENT 'Return code and text of the broker',
    real_volume Float64 COMMENT 'Lots the broker filled',
    real_price Float64 COMMENT 'Average price of its fills',
    real_commission Float64 COMMENT 'Account currency',
    real_latency_ms Float64 COMMENT 'Milliseconds from journalled to known; 0 without a fill',
    twin_outcome LowCardinality(String) COMMENT 'What the twin made of it',
    twin_reason String COMMENT 'Return code and text of the twin',
    twin_volume Float64 COMMENT 'Lots the twin filled',
    twin_price Float64 COMMENT 'Average price of its fills',
    twin_commission Float64 COMMENT 'Account currency',
    twin_latency_ms Float64 COMMENT 'Milliseconds from journalled to the modelled fill; 0 without one'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, account, source, symbol, ts_event, order_id)
SETTINGS non_replicated_deduplication_window = 10000;
