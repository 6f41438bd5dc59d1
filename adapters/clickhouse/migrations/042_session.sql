-- Every start is a session: who began it, where, and all that decided what it decided. A replay's or a
-- backtest's is its run. The row is written at the start and once more at the end; the newest insert counts.
CREATE TABLE IF NOT EXISTS session (
    session_id String COMMENT 'Name of the start; of a replay or backtest its run_id',
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    strategy LowCardinality(String) COMMENT 'Strategy that was started',
    number UInt64 COMMENT 'Count of the starts of a run, from 1: orders them whatever the clock says; 0 for a replay or backtest',
    ts_start DateTime64(6, 'UTC') COMMENT 'When it began, by the clock of its host; of a replay or backtest market time',
    ts_end DateTime64(6, 'UTC') COMMENT 'When it was drained; the epoch while it runs, or when its end was never written',
    who LowCardinality(String) COMMENT 'Who started it',
    host LowCardinality(String) COMMENT 'Machine',
    home String COMMENT 'Its home there',
    versions String COMMENT 'JSON: product, its code, features and numeric libraries',
    fingerprint String COMMENT 'JSON: what the last bit of a computed number depends on',
    settings_hash String COMMENT 'Settings that shaped its rows: hash of a row of content',
    strategy_hash String COMMENT 'File of the strategy of a person: hash of a row of content; empty for one that ships',
    limits_hash String COMMENT 'Limits file at the start: hash of a row of content; empty without one',
    limits_version LowCardinality(String) COMMENT 'Version of the limits at the start',
    model LowCardinality(String) COMMENT 'SHA-256 of the champion at the start; empty without one',
    feature_set_hash LowCardinality(String) COMMENT 'Feature set',
    status LowCardinality(String) COMMENT 'running or ended; of a replay as in run'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, number, session_id)
SETTINGS non_replicated_deduplication_window = 10000;
-- What sessions refer to by its hash, each once.
CREATE TABLE IF NOT EXISTS content (
    hash String COMMENT 'SHA-256 of the body',
    kind LowCardinality(String) COMMENT 'settings, limits or strategy',
    body String CODEC (ZSTD(3)) COMMENT 'The text itself; of settings JSON, without secrets'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (hash)
SETTINGS non_replicated_deduplication_window = 10000;
