-- Deals of which a broker's later statement says something else than an earlier one did. Every
-- statement stays as it was told; what a report reads of a day is its statement, with these after it.
CREATE TABLE IF NOT EXISTS broker_correction (
    correction_id String COMMENT 'Deterministic: the same changes of an account give the same id',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account as the run names it',
    deal UInt64 COMMENT 'Ticket of the deal',
    change LowCardinality(String) COMMENT 'correction, addition or withdrawal',
    ts_known DateTime64(6, 'UTC') COMMENT 'When the statement that says so was taken',
    statement_date Date COMMENT 'UTC date that statement is of',
    position UInt64 COMMENT 'Ticket of the position, here and below as it is now',
    kind LowCardinality(String) COMMENT 'buy, sell or balance',
    entry LowCardinality(String) COMMENT 'in or out',
    symbol LowCardinality(String) COMMENT 'Instrument as the terminal names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'When it was done',
    volume Float64 COMMENT 'Lots',
    price Float64 COMMENT 'Of the deal',
    commission Float64 COMMENT 'Account currency',
    swap Float64 COMMENT 'Account currency',
    profit Float64 COMMENT 'Account currency; of a balance deal what was paid in',
    before String COMMENT 'JSON: the deal as it was told before; empty when it was not',
    author LowCardinality(String) COMMENT 'Who took the statement'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (mode, account, deal, correction_id)
SETTINGS non_replicated_deduplication_window = 10000;
