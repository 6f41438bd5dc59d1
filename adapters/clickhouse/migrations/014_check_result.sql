-- Results of data-quality checks.
CREATE TABLE IF NOT EXISTS check_result (
    check_id LowCardinality(String) COMMENT 'Check',
    suite LowCardinality(String) COMMENT 'Suite the check belongs to',
    table_name LowCardinality(String) COMMENT 'Table checked',
    run_id LowCardinality(String) COMMENT 'Run checked; empty for all',
    ts_event DateTime64(6, 'UTC') COMMENT 'End of the span of market time checked',
    ts_init DateTime64(6, 'UTC') COMMENT 'When checked',
    status LowCardinality(String) COMMENT 'passed, failed or error',
    severity LowCardinality(String) COMMENT 'error or warning',
    observed Float64 COMMENT 'What the check saw',
    expected String COMMENT 'What it expects',
    rows_checked UInt64 COMMENT 'Rows looked at',
    rows_failed UInt64 COMMENT 'Rows that broke it',
    detail String COMMENT 'JSON: examples'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (suite, check_id, table_name, run_id, ts_event)
SETTINGS non_replicated_deduplication_window = 10000;
