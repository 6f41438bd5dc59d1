-- What happened to each order; an order is the fold of its events.
CREATE TABLE IF NOT EXISTS order_event (
    seq UInt64 COMMENT 'Journal record, from 1 without gaps',
    event_id String COMMENT 'order_id, a dot and the count within the order',
    kind LowCardinality(String) COMMENT 'received, superseded, denied, submitted, accepted, filled, ...',
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    strategy LowCardinality(String) COMMENT 'Strategy that asked for it',
    order_id String COMMENT 'Our order',
    signal_id String COMMENT 'Signal that asked for it',
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time; the time of the venue for what the venue did',
    ts_init DateTime64(6, 'UTC') COMMENT 'When journalled; in a replay the market time',
    side LowCardinality(String) COMMENT 'buy or sell',
    purpose LowCardinality(String) COMMENT 'entry, horizon, opposite, stop or flatten',
    volume Float64 COMMENT 'Lots asked for, or of this fill',
    price Float64 COMMENT 'Asked for, or of this fill',
    arrival_mid Float64 COMMENT 'Mid when the decision arrived',
    stop_price Float64 COMMENT 'Stop sent with the entry',
    reason String COMMENT 'Denial reason, or the return code and text of the venue',
    limit Float64 COMMENT 'Limit of the check that denied',
    observed Float64 COMMENT 'What that check saw',
    limits_version LowCardinality(String) COMMENT 'Version of the limits',
    venue_order UInt64 COMMENT 'Order ticket of the venue',
    venue_deal UInt64 COMMENT 'Deal ticket of the venue',
    venue_position UInt64 COMMENT 'Position ticket of the venue',
    commission Float64 COMMENT 'Account currency',
    swap Float64 COMMENT 'Account currency',
    profit Float64 COMMENT 'Realised by this fill, without commission and swap',
    previous_hash String COMMENT 'Hash of the record before',
    hash String COMMENT 'Hash of this record'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, account, seq)
SETTINGS non_replicated_deduplication_window = 10000;
