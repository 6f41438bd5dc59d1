-- Ticks have versions: `tick` keeps the newest, and what a tick was before it was corrected or
-- withdrawn is kept here, with when that became known, by which file or feed, and who said so.
ALTER TABLE tick ADD COLUMN IF NOT EXISTS ts_known DateTime64(6, 'UTC') DEFAULT ts_recv CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'When this version was stored; received, of a live feed' -- noqa: PRS,LT05
;
-- Every version of the ticks that were ever changed, the first included. Unchanged ticks have no row.
CREATE TABLE IF NOT EXISTS tick_version (
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time',
    seq UInt32 COMMENT 'Count within the millisecond, from 0',
    version UInt32 COMMENT 'From 0, the content that was stored first',
    kind LowCardinality(String) COMMENT 'first, correction or withdrawal',
    bid Decimal(18, 8) COMMENT 'Price at which the source buys',
    ask Decimal(18, 8) COMMENT 'Price at which the source sells',
    last Decimal(18, 8) COMMENT 'Price of the last trade; 0 when the source has none',
    volume Float64 COMMENT 'Volume of the last trade; 0 when the source has none',
    flags UInt16 COMMENT 'MT5 tick flags',
    quality UInt16 COMMENT 'Our bits, as in tick',
    ts_recv DateTime64(6, 'UTC') COMMENT 'When it was received; of a file the market time',
    ts_known DateTime64(6, 'UTC') COMMENT 'When this version became known',
    correction_id LowCardinality(String) COMMENT 'Correction that brought this version; empty for the first'
)
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(ts_event)
ORDER BY (source, symbol, ts_event, seq, version)
SETTINGS non_replicated_deduplication_window = 10000;
-- One row per correction: a file, a feed's message or a command that changed stored ticks.
CREATE TABLE IF NOT EXISTS correction (
    correction_id String COMMENT 'Deterministic: same feed, origin and changes give the same id',
    source LowCardinality(String) COMMENT 'Broker or feed',
    symbol LowCardinality(String) COMMENT 'Instrument',
    ts_known DateTime64(6, 'UTC') COMMENT 'When it was stored',
    ts_first DateTime64(6, 'UTC') COMMENT 'Market time of the first changed tick',
    ts_last DateTime64(6, 'UTC') COMMENT 'Market time of the last changed tick',
    corrected UInt64 COMMENT 'Ticks with another content',
    withdrawn UInt64 COMMENT 'Ticks taken back',
    origin String COMMENT 'File name and start of its hash, or feed',
    author LowCardinality(String) COMMENT 'Who imported or said it',
    reason String COMMENT 'Why, where somebody gave a reason'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (source, symbol, correction_id);
-- What follows from a correction, one row per thing that was made from the ticks of a trading day.
CREATE TABLE IF NOT EXISTS restatement (
    correction_id String COMMENT 'Correction behind it',
    what LowCardinality(String) COMMENT 'bar, feature, label, model, check, mart or report',
    subject String COMMENT 'Table, mart, check, model or report',
    trading_day Date COMMENT 'Trading day concerned',
    source LowCardinality(String) COMMENT 'Broker or feed',
    symbol LowCardinality(String) COMMENT 'Instrument',
    status LowCardinality(String) COMMENT 'pending, done, or marked: kept as decided',
    ts_changed DateTime64(6, 'UTC') COMMENT 'When this status was reached',
    rows UInt64 COMMENT 'Rows concerned',
    before String COMMENT 'JSON: what it said before',
    after String COMMENT 'JSON: what it says now'
)
ENGINE = {engine:ReplacingMergeTree}(ts_changed)
ORDER BY (correction_id, what, subject, trading_day, source, symbol);
