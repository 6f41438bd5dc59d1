-- Since when an amount differs, as the day before says it; no row when it did not.
SELECT argMax(m.since, m.ts_init) AS since
FROM client_money AS m FINAL
WHERE
    m.mode = {mode:String} AND m.account = {account:String} AND m.item = {item:String}
    AND m.report_date = {before:Date} AND m.status != 'matched'
HAVING count() > 0
