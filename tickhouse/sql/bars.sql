SELECT
    source,
    symbol,
    b.`interval` AS `interval`,
    toTimeZone(ts_open, 'UTC') AS ts_open,
    toFloat64(bid_open) AS bid_open,
    toFloat64(bid_high) AS bid_high,
    toFloat64(bid_low) AS bid_low,
    toFloat64(bid_close) AS bid_close,
    toFloat64(ask_close) AS ask_close,
    toFloat64(spread_max) AS spread_max,
    tick_count
FROM bar AS b
WHERE
    ({source:String} = '' OR source = {source:String})
    AND symbol = {symbol:String}
    AND b.`interval` = {width:String}
    AND ts_open >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')
    AND ts_open < fromUnixTimestamp64Micro({end:Int64}, 'UTC')
ORDER BY ts_open, source
