-- What an account held at a moment, by strategy and feed.
SELECT
    p.source AS source,
    p.symbol AS symbol,
    argMax(p.volume, p.seq) AS lots,
    argMax(p.price, p.seq) AS price
FROM position AS p FINAL
WHERE
    p.mode = {mode:String} AND p.account = {account:String}
    AND p.ts_event <= fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
GROUP BY p.strategy, p.source, p.symbol
HAVING lots != 0
ORDER BY source, symbol
