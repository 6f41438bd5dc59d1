-- How many of these minutes (of the Unix epoch) of a feed have no tick any more.
SELECT length({minutes:Array(Int64)}) - uniqExact(intDiv(toUnixTimestamp64Milli(ts_event), 60000)) AS without
FROM tick FINAL
WHERE
    source = {source:String} AND symbol = {symbol:String}
    AND ts_event >= fromUnixTimestamp64Milli({first_msc:Int64} - 60000, 'UTC')
    AND ts_event <= fromUnixTimestamp64Milli({last_msc:Int64} + 60000, 'UTC')
    AND intDiv(toUnixTimestamp64Milli(ts_event), 60000) IN ({minutes:Array(Int64)})
