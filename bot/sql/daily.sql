-- Trading days (from 17:00 New York) with fills, the newest first: what was realised, costs included.
SELECT
    toDate(toTimeZone(e.ts_event, 'America/New_York') + INTERVAL 7 HOUR) AS trading_day,
    count() AS fills,
    countIf(e.profit + e.commission + e.swap > 0) AS won,
    sum(e.profit + e.commission + e.swap) AS realised
FROM order_event AS e FINAL
WHERE
    e.run_id = {run_id:String} AND e.account = {account:String}
    AND e.kind IN ('filled', 'partially_filled', 'closed')
GROUP BY trading_day
ORDER BY trading_day DESC
LIMIT {days:UInt8}
