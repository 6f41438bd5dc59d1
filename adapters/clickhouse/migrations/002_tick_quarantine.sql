-- Ticks that were refused, each with its reason. Not part of any bar or feature.
CREATE TABLE IF NOT EXISTS tick_quarantine (
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    origin String COMMENT 'File name, or terminal',
    row UInt64 COMMENT '1-based row in the file, or count within the feed',
    time_msc Int64 COMMENT 'Unix milliseconds; 0 when unreadable',
    reason LowCardinality(String) COMMENT 'Why it was refused',
    raw String COMMENT 'The row as text, at most 500 characters',
    run_id LowCardinality(String) COMMENT 'Run the row belongs to',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    ts_recv DateTime64(6, 'UTC') COMMENT 'When we received it; in a replay the market time'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (source, symbol, origin, row, reason)
SETTINGS non_replicated_deduplication_window = 10000;
