-- Candles of bids of one feed, of any span, from the stored bars of a span that divides it.
SELECT
    intDiv(toUnixTimestamp(b.ts_open), {span:UInt32}) * {span:UInt32} AS time_s,
    argMin(toFloat64(b.bid_open), b.ts_open) AS open_,
    max(toFloat64(b.bid_high)) AS high,
    min(toFloat64(b.bid_low)) AS low,
    argMax(toFloat64(b.bid_close), b.ts_open) AS close_
FROM bar AS b
WHERE
    b.`interval` = {stored:String} AND b.source = {source:String} AND b.symbol = {symbol:String}
    AND b.ts_open >= toDateTime({begin:UInt32}, 'UTC') AND b.ts_open < toDateTime({end:UInt32}, 'UTC')
GROUP BY time_s
ORDER BY time_s
