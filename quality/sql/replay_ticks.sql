-- Ticks of one feed in a span: count and exact price sums in units of 1e-8 (a Decimal's own). FINAL: a repeat counts once.
SELECT
    count() AS ticks,
    sum(reinterpretAsInt64(bid)) AS bid_units,
    sum(reinterpretAsInt64(ask)) AS ask_units
FROM tick FINAL
WHERE
    source = {source:String} AND symbol = {symbol:String}
    AND ts_event >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
    AND ts_event <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')
