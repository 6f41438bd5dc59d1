-- One row per run; the newest insert of a run replaces the earlier ones.
CREATE TABLE IF NOT EXISTS run (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    strategy LowCardinality(String) COMMENT 'Strategy that asked for it',
    ts_start DateTime64(6, 'UTC') COMMENT 'Market time of the start',
    ts_end DateTime64(6, 'UTC') COMMENT 'Market time reached',
    status LowCardinality(String) COMMENT 'running, reconciled, failed or stopped',
    inputs String COMMENT 'JSON: files and their checksums, or terminal and login',
    settings String COMMENT 'JSON: every setting of the run',
    feature_set_hash LowCardinality(String) COMMENT 'Feature set',
    model LowCardinality(String) COMMENT 'SHA-256 of the model artefact; empty without one'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id)
SETTINGS non_replicated_deduplication_window = 10000;
