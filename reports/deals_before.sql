-- Every deal of an account as the last statement with it has it: of all statements, or of a day's last.
-- A statement counts that came whole, to its account.
SELECT
    deal,
    argMax(
        tuple(
            position, kind, entry, symbol, toUnixTimestamp64Micro(ts_event), volume, price, commission, swap,
            profit
        ),
        ts_init
    ) AS content
FROM broker_deal
WHERE
    mode = {mode:String} AND account = {account:String}
    AND ts_init IN (
        SELECT ts_init
        FROM broker_account
        WHERE
            mode = {mode:String} AND account = {account:String}
            AND (statement_date = {day:Date} OR {day:Date} = toDate(0))
        ORDER BY ts_init DESC
        LIMIT {statements:UInt32}
    )
GROUP BY deal
