-- Accounts with a journal by the end of a day, and the last statement of each that is of that day.
WITH
journal AS (
    SELECT DISTINCT account
    FROM order_event
    WHERE mode = {mode:String} AND toDate(ts_event, 'UTC') <= {day:Date}
),

told AS (
    SELECT
        b.account AS account,
        argMax(b.ts_event, b.ts_init) AS ts_event,
        argMax(b.currency, b.ts_init) AS currency,
        argMax(b.balance, b.ts_init) AS balance,
        argMax(b.equity, b.ts_init) AS equity,
        argMax(b.margin, b.ts_init) AS margin
    FROM broker_account AS b
    WHERE b.mode = {mode:String} AND b.statement_date = {day:Date}
    GROUP BY b.account
)

SELECT
    journal.account AS account,
    told.account != '' AS stated,
    toUnixTimestamp64Micro(told.ts_event) AS at_us,
    told.currency AS currency,
    told.balance AS balance,
    told.equity AS equity,
    told.margin AS margin
FROM journal
LEFT JOIN told ON journal.account = told.account
ORDER BY account
