-- Which home stores ticks of which source just now. Within a home whoever stores ticks takes turns by a lock on a file,
-- which homes that share a warehouse do not have: so a source belongs to one of them at a time, until it was silent for a minute.
CREATE TABLE IF NOT EXISTS tick_claim (
    source LowCardinality(String) COMMENT 'Broker or feed',
    home String COMMENT 'Name that the home gave itself, host and folder',
    ts_claimed DateTime64(6, 'UTC') COMMENT 'Last time it was said, by the clock of the warehouse',
    released Bool COMMENT 'Given up at once, because another home claimed it at the same moment'
)
ENGINE = {engine:ReplacingMergeTree}(ts_claimed)
ORDER BY (source, home)
SETTINGS non_replicated_deduplication_window = 10000;
