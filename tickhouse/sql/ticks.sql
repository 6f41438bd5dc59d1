-- Prices are stored as decimals; people compute with floats. Both ends of the key are bound.
SELECT
    source,
    symbol,
    ts_event,
    seq,
    toFloat64(bid) AS bid,
    toFloat64(ask) AS ask,
    toFloat64(last) AS last,
    volume,
    flags,
    quality
FROM tick FINAL
WHERE
    ({source:String} = '' OR source = {source:String})
    AND symbol = {symbol:String}
    AND ts_event >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')
    AND ts_event < fromUnixTimestamp64Micro({end:Int64}, 'UTC')
ORDER BY ts_event, source, seq
