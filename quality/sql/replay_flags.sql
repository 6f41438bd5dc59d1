-- Flagged ticks of one feed in a span (bits of tick.quality).
SELECT
    countIf(bitTest(quality, 0)) AS crossed,
    countIf(bitTest(quality, 1)) AS locked,
    countIf(bitTest(quality, 2)) AS same_millisecond,
    countIf(bitTest(quality, 3)) AS out_of_order
FROM tick FINAL
WHERE
    source = {source:String} AND symbol = {symbol:String}
    AND ts_event >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
    AND ts_event <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')
