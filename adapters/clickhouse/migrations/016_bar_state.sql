-- What bars are made of, per feed and interval. Inserting a tick again must change nothing, so the
-- states are ones that do not mind a repeat: min, max, argMin and argMax on identity, a bitmap; no sums.
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
