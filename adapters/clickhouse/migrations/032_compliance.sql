-- The broker's own word: deals, positions and account as the terminal told them, one statement after another.
-- A later statement does not replace an earlier one; reports take the last.
CREATE TABLE IF NOT EXISTS broker_deal (
    statement_date Date COMMENT 'UTC date the statement is of',
    ts_init DateTime64(6, 'UTC') COMMENT 'When it was taken',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account as the run names it',
    deal UInt64 COMMENT 'Ticket of the deal',
    position UInt64 COMMENT 'Ticket of the position',
    kind LowCardinality(String) COMMENT 'buy, sell or balance',
    entry LowCardinality(String) COMMENT 'in or out',
    symbol LowCardinality(String) COMMENT 'Instrument as the terminal names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'When it was done',
    volume Float64 COMMENT 'Lots',
    price Float64 COMMENT 'Of the deal',
    commission Float64 COMMENT 'Account currency',
    swap Float64 COMMENT 'Account currency',
    profit Float64 COMMENT 'Account currency; of a balance deal what was paid in'
)
ENGINE = {engine:MergeTree}
ORDER BY (mode, account, statement_date, ts_init, deal)
SETTINGS non_replicated_deduplication_window = 10000;

-- Open positions as the terminal told them.
CREATE TABLE IF NOT EXISTS broker_position (
    statement_date Date COMMENT 'UTC date the statement is of',
    ts_init DateTime64(6, 'UTC') COMMENT 'When it was taken',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account as the run names it',
    position UInt64 COMMENT 'Ticket of the position',
    symbol LowCardinality(String) COMMENT 'Instrument as the terminal names it',
    volume Float64 COMMENT 'Signed lots',
    price Float64 COMMENT 'At which it was opened'
)
ENGINE = {engine:MergeTree}
ORDER BY (mode, account, statement_date, ts_init, position)
SETTINGS non_replicated_deduplication_window = 10000;

-- The account as the terminal told it; one row is one statement.
CREATE TABLE IF NOT EXISTS broker_account (
    statement_date Date COMMENT 'UTC date the statement is of',
    ts_init DateTime64(6, 'UTC') COMMENT 'When it was taken',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account as the run names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time it holds for',
    currency LowCardinality(String) COMMENT 'Account currency',
    balance Float64 COMMENT 'Without open profit',
    equity Float64 COMMENT 'With open profit'
)
ENGINE = {engine:MergeTree}
ORDER BY (mode, account, statement_date, ts_init)
SETTINGS non_replicated_deduplication_window = 10000;

-- Alerts of controls: what was breached, when, and when people were told.
CREATE TABLE IF NOT EXISTS control_alert (
    alert_id String COMMENT 'Event it follows from',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    control LowCardinality(String) COMMENT 'Denial reason, or the state trading was put into',
    subject String COMMENT 'Order or breaker',
    detail String COMMENT 'What was seen, and the limit',
    ts_event DateTime64(6, 'UTC') COMMENT 'When the control acted',
    ts_raised DateTime64(6, 'UTC') COMMENT 'When the alert was out',
    channel LowCardinality(String) COMMENT 'log, or log and webhook'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (mode, account, alert_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- How far the clock of a host was from its source.
CREATE TABLE IF NOT EXISTS clock_sync (
    host LowCardinality(String) COMMENT 'Machine measured',
    source LowCardinality(String) COMMENT 'Reference it is held to',
    stratum UInt8 COMMENT 'Distance of the source from a reference clock',
    ts_event DateTime64(6, 'UTC') COMMENT 'When it was measured',
    offset_us Float64 COMMENT 'Our clock less the reference, microseconds',
    uncertainty_us Float64 COMMENT 'Root distance: how wrong the measurement may be, microseconds',
    granularity_us Float64 COMMENT 'Smallest step of our time stamps, microseconds',
    stamp_point LowCardinality(String) COMMENT 'Where in the product times are taken'
)
ENGINE = {engine:MergeTree}
ORDER BY (host, ts_event)
SETTINGS non_replicated_deduplication_window = 10000;
