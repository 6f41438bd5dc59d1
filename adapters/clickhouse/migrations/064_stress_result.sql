-- What scenarios would do to what was held: on demand (tickhouse stress) and each night.
CREATE TABLE IF NOT EXISTS stress_result (
    run_id LowCardinality(String) COMMENT 'Run the account trades in',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account, ours',
    strategy LowCardinality(String) COMMENT 'Whose positions; empty: all of the account',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time of prices and positions',
    ts_init DateTime64(6, 'UTC') COMMENT 'When it was computed',
    scenario LowCardinality(String) COMMENT 'Name of the scenario',
    version LowCardinality(String) COMMENT 'Of its file, with the hash of its bytes',
    profit Float64 COMMENT 'Account currency; negative is a loss',
    share Float64 COMMENT 'Profit over equity; 0 while that is unknown',
    factor Float64 COMMENT 'How many times the scenario loses the target; infinite when it never does',
    target Float64 COMMENT 'Share of equity that reverse stress looks for',
    worst_symbol LowCardinality(String) COMMENT 'Feed that loses most; empty when none does',
    untouched String COMMENT 'Symbols that are held and that the scenario says nothing of, comma-separated'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (account, run_id, strategy, scenario, ts_event, ts_init)
SETTINGS non_replicated_deduplication_window = 10000;
