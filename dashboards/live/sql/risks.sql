-- The trading state that holds.
SELECT
    * EXCEPT (ts_event, ts_init),
    toUnixTimestamp64Micro(ts_event) AS ts_event_us,
    toUnixTimestamp64Micro(ts_init) AS ts_init_us
FROM risk_state
WHERE run_id = {run_id:String} AND account = {account:String}
ORDER BY ts_event DESC, ts_init DESC
LIMIT 1
