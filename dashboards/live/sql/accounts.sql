-- The account as it stands.
SELECT
    * EXCEPT (ts_event, ts_init),
    toUnixTimestamp64Micro(ts_event) AS ts_event_us,
    toUnixTimestamp64Micro(ts_init) AS ts_init_us
FROM account_state
WHERE run_id = {run_id:String} AND account = {account:String}
ORDER BY seq DESC, ts_event DESC
LIMIT 1
