-- Prices as integers of the grid, which is what a Decimal is: read as a float its last bit may
-- differ, and multiplied by the scale it overflows above 922.
SELECT
    toUnixTimestamp64Milli(ts_event),
    seq,
    quality,
    flags,
    volume,
    reinterpretAsInt64(bid),
    reinterpretAsInt64(ask),
    reinterpretAsInt64(last)
FROM tick FINAL
WHERE
    source = {source:String} AND symbol = {symbol:String}
    AND ts_event >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
    AND ts_event <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')
ORDER BY ts_event, seq
