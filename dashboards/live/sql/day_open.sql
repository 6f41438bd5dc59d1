-- Equity when the trading day began (17:00 New York), or the day's first.
SELECT equity
FROM account_state
WHERE
    run_id = {run_id:String} AND account = {account:String}
    AND ts_event >= toTimeZone(
        toStartOfDay(toTimeZone(now(), 'America/New_York') + INTERVAL 7 HOUR) - INTERVAL 7 HOUR, 'UTC'
    )
ORDER BY seq, ts_event
LIMIT 1
