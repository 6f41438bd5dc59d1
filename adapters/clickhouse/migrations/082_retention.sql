-- Retention: what each day's census counted, by table and group of files, and where policy and what is there part.
-- Holds and destructions themselves are chained events of the audit trail; nothing here is needed to find them again.
CREATE TABLE IF NOT EXISTS retention_census (
    report_date Date COMMENT 'UTC day of which it is',
    subject LowCardinality(String) COMMENT 'Table, or group of files',
    kind LowCardinality(String) COMMENT 'table or files',
    policy LowCardinality(String) COMMENT 'Name of its policy; empty: none names it',
    title LowCardinality(String) COMMENT 'Title of the policy',
    basis String COMMENT 'What asks for it',
    version LowCardinality(String) COMMENT 'Version of the policy',
    years UInt8 COMMENT 'Years that it is kept at least; 0: nothing asks for it',
    after_that LowCardinality(String) COMMENT 'keep, or destroy',
    ttl_days UInt32 COMMENT 'Days after which the table itself forgets rows; 0: never',
    total UInt64 COMMENT 'Rows, or folders and files',
    oldest Nullable(Date) COMMENT 'UTC day of the oldest; null: there is none, or nothing tells',
    due UInt64 COMMENT 'Older than the years of the policy',
    held UInt64 COMMENT 'Of these under a legal hold',
    destroyed UInt64 COMMENT 'Destroyed in the month of the day, up to it',
    holds Array(String) COMMENT 'Legal holds that cover it',
    ts_init DateTime64(6, 'UTC') COMMENT 'When it was counted'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (report_date, subject)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS retention_break (
    report_date Date COMMENT 'UTC day of the census',
    subject LowCardinality(String) COMMENT 'Table, group of files, policy or hold',
    rule_id LowCardinality(String) COMMENT 'Rule that it breaks',
    severity LowCardinality(String) COMMENT 'error blocks the release, warning does not',
    field LowCardinality(String) COMMENT 'Field of policy, hold or table that it is about',
    value String COMMENT 'What there is',
    ts_init DateTime64(6, 'UTC') COMMENT 'When it was counted'
)
ENGINE = {engine:MergeTree}
ORDER BY (report_date, rule_id, subject)
SETTINGS non_replicated_deduplication_window = 10000;
