-- What each strategy realised in each half hour of the day before the newest event, costs included.
SELECT
    e.strategy AS strategy,
    toUnixTimestamp(toStartOfInterval(e.ts_event, INTERVAL 30 MINUTE)) AS at_s,
    sum(e.profit + e.commission + e.swap) AS profit
FROM order_event AS e FINAL
WHERE
    e.run_id = {run_id:String} AND e.account = {account:String}
    AND e.kind IN ('filled', 'partially_filled', 'closed')
    AND e.ts_event > (
        SELECT max(newest.ts_event) FROM order_event AS newest
        WHERE newest.run_id = {run_id:String} AND newest.account = {account:String}
    ) - INTERVAL 1 DAY
GROUP BY strategy, at_s
ORDER BY at_s, strategy
