-- The newest events of the account's orders, oldest first.
SELECT
    * EXCEPT (ts_event, ts_init),
    toUnixTimestamp64Micro(ts_event) AS ts_event_us,
    toUnixTimestamp64Micro(ts_init) AS ts_init_us
FROM order_event FINAL
WHERE
    run_id = {run_id:String} AND account = {account:String} AND seq + 2000 > (
        SELECT max(seq) FROM order_event
        WHERE run_id = {run_id:String} AND account = {account:String}
    )
ORDER BY seq
