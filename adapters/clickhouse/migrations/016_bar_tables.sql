-- Bars per feed, from ticks by materialized views. Inserting a tick again must change nothing, so the
-- states are ones that do not mind a repeat: min, max, argMin and argMax on identity, a bitmap; no sums.
-- The bitmap's key is the tick's count in the upper half and the millisecond of the hour in the lower:
-- unique within every interval up to 1 h for any count, and dense, which a roaring bitmap needs.
-- Only the 1-minute view reads ticks; the others chain from it. One-second bars are made on demand.
CREATE TABLE IF NOT EXISTS bar_1m (
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument',
    ts_open DateTime64(6, 'UTC') COMMENT 'Start of the interval',
    bid_open AggregateFunction(argMin, Decimal(18, 8), Tuple(DateTime64(6, 'UTC'), UInt32)) COMMENT 'First bid',
    bid_high SimpleAggregateFunction(max, Decimal(18, 8)) COMMENT 'Highest bid',
    bid_low SimpleAggregateFunction(min, Decimal(18, 8)) COMMENT 'Lowest bid',
    bid_close AggregateFunction(argMax, Decimal(18, 8), Tuple(DateTime64(6, 'UTC'), UInt32)) COMMENT 'Last bid',
    ask_close AggregateFunction(argMax, Decimal(18, 8), Tuple(DateTime64(6, 'UTC'), UInt32)) COMMENT 'Last ask',
    spread_max SimpleAggregateFunction(max, Decimal(18, 8)) COMMENT 'Widest ask minus bid',
    tick_count AggregateFunction(groupBitmap, UInt64) COMMENT 'Set of ticks: count within the millisecond and millisecond of the hour'
)
ENGINE = {engine:AggregatingMergeTree}
ORDER BY (source, symbol, ts_open)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS bar_5m (
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument',
    ts_open DateTime64(6, 'UTC') COMMENT 'Start of the interval',
    bid_open AggregateFunction(argMin, Decimal(18, 8), Tuple(DateTime64(6, 'UTC'), UInt32)) COMMENT 'First bid',
    bid_high SimpleAggregateFunction(max, Decimal(18, 8)) COMMENT 'Highest bid',
    bid_low SimpleAggregateFunction(min, Decimal(18, 8)) COMMENT 'Lowest bid',
    bid_close AggregateFunction(argMax, Decimal(18, 8), Tuple(DateTime64(6, 'UTC'), UInt32)) COMMENT 'Last bid',
    ask_close AggregateFunction(argMax, Decimal(18, 8), Tuple(DateTime64(6, 'UTC'), UInt32)) COMMENT 'Last ask',
    spread_max SimpleAggregateFunction(max, Decimal(18, 8)) COMMENT 'Widest ask minus bid',
    tick_count AggregateFunction(groupBitmap, UInt64) COMMENT 'Set of ticks: count within the millisecond and millisecond of the hour'
)
ENGINE = {engine:AggregatingMergeTree}
ORDER BY (source, symbol, ts_open)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS bar_1h (
    source LowCardinality(String) COMMENT 'Broker or feed that quoted',
    symbol LowCardinality(String) COMMENT 'Instrument',
    ts_open DateTime64(6, 'UTC') COMMENT 'Start of the interval',
    bid_open AggregateFunction(argMin, Decimal(18, 8), Tuple(DateTime64(6, 'UTC'), UInt32)) COMMENT 'First bid',
    bid_high SimpleAggregateFunction(max, Decimal(18, 8)) COMMENT 'Highest bid',
    bid_low SimpleAggregateFunction(min, Decimal(18, 8)) COMMENT 'Lowest bid',
    bid_close AggregateFunction(argMax, Decimal(18, 8), Tuple(DateTime64(6, 'UTC'), UInt32)) COMMENT 'Last bid',
    ask_close AggregateFunction(argMax, Decimal(18, 8), Tuple(DateTime64(6, 'UTC'), UInt32)) COMMENT 'Last ask',
    spread_max SimpleAggregateFunction(max, Decimal(18, 8)) COMMENT 'Widest ask minus bid',
    tick_count AggregateFunction(groupBitmap, UInt64) COMMENT 'Set of ticks: count within the millisecond and millisecond of the hour'
)
ENGINE = {engine:AggregatingMergeTree}
ORDER BY (source, symbol, ts_open)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS bar_1m_from_tick TO bar_1m AS
SELECT
    t.source AS source,
    t.symbol AS symbol,
    toDateTime64(toStartOfMinute(t.ts_event), 6, 'UTC') AS ts_open,
    argMinState(t.bid, (t.ts_event, t.seq)) AS bid_open,
    max(t.bid) AS bid_high,
    min(t.bid) AS bid_low,
    argMaxState(t.bid, (t.ts_event, t.seq)) AS bid_close,
    argMaxState(t.ask, (t.ts_event, t.seq)) AS ask_close,
    max(t.ask - t.bid) AS spread_max,
    groupBitmapState(bitOr(
        bitShiftLeft(toUInt64(t.seq), 32),
        toUInt64(toUnixTimestamp64Milli(t.ts_event) % 3600000)
    )) AS tick_count
FROM tick AS t
GROUP BY source, symbol, ts_open;

CREATE MATERIALIZED VIEW IF NOT EXISTS bar_5m_from_1m TO bar_5m AS
SELECT
    b.source AS source,
    b.symbol AS symbol,
    toDateTime64(toStartOfFiveMinutes(b.ts_open), 6, 'UTC') AS ts_open,
    argMinMergeState(b.bid_open) AS bid_open,
    max(b.bid_high) AS bid_high,
    min(b.bid_low) AS bid_low,
    argMaxMergeState(b.bid_close) AS bid_close,
    argMaxMergeState(b.ask_close) AS ask_close,
    max(b.spread_max) AS spread_max,
    groupBitmapMergeState(b.tick_count) AS tick_count
FROM bar_1m AS b
GROUP BY source, symbol, ts_open;

CREATE MATERIALIZED VIEW IF NOT EXISTS bar_1h_from_1m TO bar_1h AS
SELECT
    b.source AS source,
    b.symbol AS symbol,
    toDateTime64(toStartOfHour(b.ts_open), 6, 'UTC') AS ts_open,
    argMinMergeState(b.bid_open) AS bid_open,
    max(b.bid_high) AS bid_high,
    min(b.bid_low) AS bid_low,
    argMaxMergeState(b.bid_close) AS bid_close,
    argMaxMergeState(b.ask_close) AS ask_close,
    max(b.spread_max) AS spread_max,
    groupBitmapMergeState(b.tick_count) AS tick_count
FROM bar_1m AS b
GROUP BY source, symbol, ts_open;
