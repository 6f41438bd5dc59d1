-- The same states as those of bar_1m_from_tick, three times as fast. The first and the last tick of a minute are
-- found by one integer, microseconds of the minute above the tick's count, where that view compared a pair, value by
-- value, for every tick (575 of 680 ns); the pairs that the states hold are made once a minute. What is stored while
-- both views stand has its bars twice, which such states do not mind; without either it would have none.
CREATE MATERIALIZED VIEW IF NOT EXISTS bar_1m_from_ticks TO bar_1m AS
SELECT
    g.source AS source,
    g.symbol AS symbol,
    g.ts_open AS ts_open,
    initializeAggregation('argMinState', g.first_bid, g.first_of) AS bid_open,
    g.highest AS bid_high,
    g.lowest AS bid_low,
    initializeAggregation('argMaxState', g.last_bid, g.last_of) AS bid_close,
    initializeAggregation('argMaxState', g.last_ask, g.last_of) AS ask_close,
    g.widest AS spread_max,
    g.ticks AS tick_count
FROM (
    WITH bitOr(bitShiftLeft(toUInt64(toUnixTimestamp64Micro(t.ts_event) % 60000000), 32), t.seq) AS place
    SELECT
        t.source AS source,
        t.symbol AS symbol,
        toDateTime64(toStartOfMinute(t.ts_event), 6, 'UTC') AS ts_open,
        argMin(t.bid, place) AS first_bid,
        argMax(t.bid, place) AS last_bid,
        argMax(t.ask, place) AS last_ask,
        min(place) AS first_place,
        max(place) AS last_place,
        (ts_open + toIntervalMicrosecond(bitShiftRight(first_place, 32)), toUInt32(first_place % 4294967296)) AS first_of,
        (ts_open + toIntervalMicrosecond(bitShiftRight(last_place, 32)), toUInt32(last_place % 4294967296)) AS last_of,
        max(t.bid) AS highest,
        min(t.bid) AS lowest,
        max(t.ask - t.bid) AS widest,
        groupBitmapState(bitOr(
            bitShiftLeft(toUInt64(t.seq), 32),
            toUInt64(toUnixTimestamp64Milli(t.ts_event) % 3600000)
        )) AS ticks
    FROM tick AS t
    GROUP BY source, symbol, ts_open
) AS g;

DROP VIEW IF EXISTS bar_1m_from_tick;
