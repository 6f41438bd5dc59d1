-- Equity and balance of the trading day (from 17:00 New York), the last of each minute.
SELECT
    toUnixTimestamp(toStartOfMinute(a.ts_event)) AS time_s,
    argMax(a.equity, (a.seq, a.ts_event)) AS equity,
    argMax(a.balance, (a.seq, a.ts_event)) AS balance
FROM account_state AS a
WHERE
    a.run_id = {run_id:String} AND a.account = {account:String}
    AND a.ts_event >= toTimeZone(
        toStartOfDay(toTimeZone(now(), 'America/New_York') + INTERVAL 7 HOUR) - INTERVAL 7 HOUR, 'UTC'
    )
GROUP BY time_s
ORDER BY time_s
