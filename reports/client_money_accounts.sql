-- Accounts with a journal by the end of a day, and the last statement of each that is of that day.
SELECT
    j.account AS account,
    s.account != '' AS stated,
    toUnixTimestamp64Micro(s.ts_event) AS at_us,
    s.currency AS currency,
    s.balance AS balance,
    s.equity AS equity,
    s.margin AS margin
FROM (
    SELECT DISTINCT account FROM order_event
    WHERE mode = {mode:String} AND toDate(ts_event, 'UTC') <= {day:Date}
) AS j
LEFT JOIN (
    SELECT
        account,
        argMax(b.ts_event, b.ts_init) AS ts_event,
        argMax(b.currency, b.ts_init) AS currency,
        argMax(b.balance, b.ts_init) AS balance,
        argMax(b.equity, b.ts_init) AS equity,
        argMax(b.margin, b.ts_init) AS margin
    FROM broker_account AS b
    WHERE b.mode = {mode:String} AND b.statement_date = {day:Date}
    GROUP BY account
) AS s ON j.account = s.account
ORDER BY account
