-- What each strategy of an account realised, costs included: in the trading day (from 17:00 New York), and since ever.
SELECT
    e.strategy AS strategy,
    sumIf(
        e.profit + e.commission + e.swap,
        e.ts_event >= toTimeZone(
            toStartOfDay(toTimeZone(now(), 'America/New_York') + INTERVAL 7 HOUR) - INTERVAL 7 HOUR, 'UTC'
        )
    ) AS today,
    sum(e.profit + e.commission + e.swap) AS ever
FROM order_event AS e FINAL
WHERE
    e.account = {account:String} AND e.mode NOT IN ('replay', 'backtest')
    AND e.kind IN ('filled', 'partially_filled', 'closed')
GROUP BY strategy
ORDER BY strategy
