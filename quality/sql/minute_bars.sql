SELECT
    toUnixTimestamp(ts_open) AS s,
    toFloat64(bid_open) AS open,
    toFloat64(bid_high) AS high,
    toFloat64(bid_low) AS low,
    toFloat64(bid_close) AS close,
    tick_count
FROM bar
WHERE
    `interval` = '1m'
    AND source = {source:String} AND symbol = {symbol:String}
    AND ts_open >= {start:DateTime64(6)} AND ts_open < {end:DateTime64(6)}
ORDER BY ts_open
