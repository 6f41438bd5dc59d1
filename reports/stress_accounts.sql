-- Each account as its terminal reported it last before a time.
SELECT
    a.account AS account,
    argMax(a.currency, (a.ts_event, a.seq)) AS currency,
    argMax(a.equity, (a.ts_event, a.seq)) AS equity
FROM account_state AS a FINAL
WHERE a.run_id = {run_id:String} AND a.ts_event <= fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
GROUP BY account
