-- What accounts can lose, each second of market time (in a replay each minute) while something is held; written by
-- the executions flow. One row of an account (strategy empty), and one of each strategy that holds something.
CREATE TABLE IF NOT EXISTS portfolio_risk (
    run_id LowCardinality(String) COMMENT 'Run the account trades in',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account, ours',
    strategy LowCardinality(String) COMMENT 'Whose positions; empty: all of the account',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time: prices before it, positions until it',
    seq UInt64 COMMENT 'Journal sequence of the newest position that counts',
    currency LowCardinality(String) COMMENT 'Of the account, and of all money here',
    positions UInt32 COMMENT 'Positions held',
    gross Float64 COMMENT 'Exposures, long and short alike',
    net Float64 COMMENT 'Exposures, shorts against longs',
    correlated Float64 COMMENT 'Root of exposures times correlation times exposures',
    concentration Float64 COMMENT 'Herfindahl index of exposures by feed: 1 is all in one',
    equity Float64 COMMENT 'Of the account as the terminal reported it last; 0 while unknown, and of strategies',
    margin Float64 COMMENT 'Taken by positions, as the terminal reported it last',
    stop_out Float64 COMMENT 'What can be lost before the broker closes positions; of the account only',
    stop_out_days Float64 COMMENT 'The same in standard deviations of a day',
    swap_1d Float64 COMMENT 'Cost of the nights of the next 24 hours; negative is received',
    shrinkage Float64 COMMENT 'Share of the sample correlations that was taken away',
    observations UInt32 COMMENT 'Minutes of history',
    problem String COMMENT 'Why figures are missing, or what they assume; empty when all is well'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (account, run_id, strategy, ts_event)
SETTINGS non_replicated_deduplication_window = 10000;
