-- What each account held as of a time, by strategy and feed.
SELECT
    p.run_id AS run_id,
    p.mode AS mode,
    p.account AS account,
    p.strategy AS strategy,
    p.source AS source,
    p.symbol AS symbol,
    argMax(p.volume, p.seq) AS lots,
    argMax(p.price, p.seq) AS price
FROM position AS p FINAL
WHERE p.run_id = {run_id:String} AND p.ts_event <= fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
GROUP BY run_id, mode, account, strategy, source, symbol
HAVING lots != 0
ORDER BY account, strategy, source, symbol
