-- Bid and ask of every feed of some sources: the last before a moment, and not older than four days.
SELECT
    source,
    symbol,
    toFloat64(argMax(bid, ts_event)) AS last_bid,
    toFloat64(argMax(ask, ts_event)) AS last_ask
FROM tick
WHERE
    source IN {sources:Array(String)}
    AND ts_event <= fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
    AND ts_event > fromUnixTimestamp64Micro({at_us:Int64}, 'UTC') - INTERVAL 4 DAY
GROUP BY source, symbol
