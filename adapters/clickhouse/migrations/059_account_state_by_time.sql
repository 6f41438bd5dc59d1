-- Between two records of the journal an account's equities share a number: with the number alone as the key, merges kept
-- one of them, and equity curves lost their points and a quiet position's peak. The time joins the key. A sorting key takes
-- no column that was there before, so the table is written anew and put in its place at once: killed at any moment, this
-- runs again from the start.
CREATE OR REPLACE TABLE account_state ( -- noqa: PRS
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the record was made; in a replay the market time',
    seq UInt64 COMMENT 'Journal record after which it holds; of equities between two records the one before',
    currency LowCardinality(String) COMMENT 'Account currency',
    balance Float64 COMMENT 'Without open profit',
    equity Float64 COMMENT 'With open profit',
    margin Float64 COMMENT 'In use',
    INDEX by_time ts_event TYPE minmax GRANULARITY 1
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, account, seq, ts_event)
SETTINGS non_replicated_deduplication_window = 10000
AS SELECT * FROM account_state;
