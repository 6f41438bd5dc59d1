-- Every tick kept, flagged or not. Ordered by identity, so that a repeat replaces itself.
-- Codecs: docs/adr/0002-tick-storage.md.
CREATE TABLE IF NOT EXISTS tick (
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'Market time',
    seq UInt32 CODEC (ZSTD(1)) COMMENT 'Count within the millisecond, from 0',
    bid Decimal(18, 8) CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'Price at which the source buys',
    ask Decimal(18, 8) CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'Price at which the source sells',
    last Decimal(18, 8) CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'Price of the last trade; 0 when the source has none',
    volume Float64 CODEC (ZSTD(1)) COMMENT 'Volume of the last trade; 0 when the source has none',
    flags UInt16 CODEC (ZSTD(1)) COMMENT 'MT5 tick flags: 2 BID, 4 ASK, 8 LAST, 16 VOLUME, 32 BUY, 64 SELL',
    quality UInt16 CODEC (ZSTD(1)) COMMENT 'Our bits: 1 crossed, 2 locked, 4 same millisecond, 8 out of order',
    ts_recv DateTime64(6, 'UTC') CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'When we received it; in a replay the market time',
    time_msc Int64 ALIAS toUnixTimestamp64Milli(ts_event) COMMENT 'Unix milliseconds, as MT5 counts'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (source, symbol, ts_event, seq)
SETTINGS non_replicated_deduplication_window = 10000;
