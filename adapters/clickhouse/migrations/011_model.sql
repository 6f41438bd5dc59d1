-- Registered models; the newest insert of a model replaces the earlier ones.
CREATE TABLE IF NOT EXISTS model (
    model String COMMENT 'SHA-256 of the artefact',
    name LowCardinality(String) COMMENT 'Name a person gave',
    ts_init DateTime64(6, 'UTC') COMMENT 'When registered; in a replay the market time',
    feature_set_hash LowCardinality(String) COMMENT 'Feature set it takes',
    run_id LowCardinality(String) COMMENT 'Run it was trained in',
    simulated Bool COMMENT 'Trained on simulated data: may never go live',
    metrics String COMMENT 'JSON: metrics beside the baseline',
    status LowCardinality(String) COMMENT 'candidate, champion, retired or refused'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (model)
SETTINGS non_replicated_deduplication_window = 10000;
