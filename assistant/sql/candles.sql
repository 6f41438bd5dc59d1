-- The newest candles of bids of one symbol; of one source, the first by name unless named.
WITH first_source AS (
    SELECT min(b.source) AS source
    FROM bar AS b
    WHERE
        b.`interval` = {stored:String} AND b.symbol = {symbol:String}
        AND {source:String} IN ('', b.source)
)

SELECT
    b.source AS source,
    toUnixTimestamp(b.ts_open) AS time_s,
    toFloat64(b.bid_open) AS open_,
    toFloat64(b.bid_high) AS high,
    toFloat64(b.bid_low) AS low,
    toFloat64(b.bid_close) AS close_
FROM bar AS b
WHERE
    b.`interval` = {stored:String} AND b.symbol = {symbol:String}
    AND b.source IN (SELECT f.source FROM first_source AS f)
ORDER BY time_s DESC
LIMIT {most:UInt32}
