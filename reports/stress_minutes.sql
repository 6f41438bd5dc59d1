-- Last mid and spread of each minute before a time, of all feeds of the sources in which something is held. Two
-- weeks hold the window of history over any weekend.
SELECT
    b.source AS source,
    b.symbol AS symbol,
    toUnixTimestamp64Micro(b.ts_open) AS minute_us,
    (toFloat64(b.bid_close) + toFloat64(b.ask_close)) / 2 AS mid,
    abs(toFloat64(b.ask_close) - toFloat64(b.bid_close)) AS spread
FROM bar AS b
WHERE
    b.`interval` = '1m'
    AND b.source IN {sources:Array(String)}
    AND b.ts_open > fromUnixTimestamp64Micro({at_us:Int64}, 'UTC') - INTERVAL 14 DAY
    AND b.ts_open + INTERVAL 1 MINUTE <= fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
ORDER BY minute_us, source, symbol
