-- What each row of portfolio_risk consists of: by feed, and by currency.
CREATE TABLE IF NOT EXISTS feed_exposure (
    run_id LowCardinality(String) COMMENT 'Run the account trades in',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account, ours',
    strategy LowCardinality(String) COMMENT 'Whose positions; empty: all of the account',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time, that of portfolio_risk',
    source LowCardinality(String) COMMENT 'Broker of the symbol',
    symbol LowCardinality(String) COMMENT 'Held, or the pair that converts the profit of what is held',
    lots Float64 COMMENT 'Signed lots',
    exposure Float64 COMMENT 'Gain of a rise of 100 %, account currency: conversion of the profit so far is in it',
    correlated Float64 COMMENT 'Of all exposures, what moves with this feed; account currency',
    contribution Float64 COMMENT 'Share of the parametric variance; all sum to 1',
    sigma Float64 COMMENT 'Volatility of the return of a minute; 0 while unknown',
    mid Float64 COMMENT 'Price it was valued at'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (account, run_id, strategy, source, symbol, ts_event)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS currency_exposure (
    run_id LowCardinality(String) COMMENT 'Run the account trades in',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account, ours',
    strategy LowCardinality(String) COMMENT 'Whose positions; empty: all of the account',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time, that of portfolio_risk',
    currency LowCardinality(String) COMMENT 'Or metal, index, coin: the base of an instrument',
    exposure Float64 COMMENT 'Held of it, in account currency; negative is owed'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (account, run_id, strategy, currency, ts_event)
SETTINGS non_replicated_deduplication_window = 10000;
