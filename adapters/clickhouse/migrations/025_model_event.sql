-- What a person should know of the models in use: which, and which of their members are missing.
CREATE TABLE IF NOT EXISTS model_event (
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    strategy LowCardinality(String) COMMENT 'Strategy that runs',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time of the first row it holds for',
    model LowCardinality(String) COMMENT 'SHA-256 of the model',
    member LowCardinality(String) COMMENT 'Member of it; empty for the whole model',
    kind LowCardinality(String) COMMENT 'in use, missing, silent, drift or reducing',
    detail String COMMENT 'What happened, for a person'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (run_id, ts_event, model, member, kind)
SETTINGS non_replicated_deduplication_window = 10000;
