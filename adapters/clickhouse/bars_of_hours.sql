-- One-minute bars of some hours of a feed, from the ticks as they are now; 5 minutes and 1 hour follow
-- by their views. The same states as migration 017.
INSERT INTO bar_1m
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
FROM (
    SELECT
        source,
        symbol,
        ts_event,
        seq,
        bid,
        ask
    FROM tick FINAL
    WHERE
        source = {source:String} AND symbol = {symbol:String}
        AND ts_event >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
        AND ts_event < fromUnixTimestamp64Milli({end_msc:Int64}, 'UTC')
        AND toUnixTimestamp(toStartOfHour(ts_event)) IN ({hours:Array(Int64)})
) AS t
GROUP BY source, symbol, ts_open
-- The same bars may have been stored before, and deleted since.
SETTINGS insert_deduplicate = 0, deduplicate_blocks_in_dependent_materialized_views = 0
