-- What accounts have left before each rule of their proprietary trading firm, as execution kept it: a row per rule,
-- in a replay at the end of each slice and at each tick that broke one, live with each look at the account that
-- changed a figure.
CREATE TABLE IF NOT EXISTS firm_rule_state (
    run_id LowCardinality(String) COMMENT 'Run the account trades in',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account, ours',
    firm LowCardinality(String) COMMENT 'Name of the rules in the limits file',
    rule LowCardinality(String) COMMENT 'daily_loss, drawdown, open_lots, profit_target, min_days, consistency',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time of the look at the account',
    ts_init DateTime64(6, 'UTC') COMMENT 'When noted; in a replay the market time',
    seq UInt64 COMMENT 'Journal sequence after which it holds',
    limit Float64 COMMENT 'What may be lost or held, or is to be reached',
    observed Float64 COMMENT 'What was lost, held or reached',
    headroom Float64 COMMENT 'What is left before the rule; of a target or of days what is lacking',
    ts_broken DateTime64(6, 'UTC') COMMENT 'Look that broke it first, in a replay the tick; 1970: never',
    limits_version LowCardinality(String) COMMENT 'Version of the limits that hold the rule',
    least_headroom Float64 COMMENT 'The least that there ever was before a limit on losses',
    ts_least DateTime64(6, 'UTC') COMMENT 'When that was; 1970 for other rules'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, account, firm, rule, ts_event, seq)
SETTINGS non_replicated_deduplication_window = 10000;
