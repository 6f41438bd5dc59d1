-- Signals of the last hours, oldest first.
SELECT
    * EXCEPT (ts_event, ts_init, ts_horizon, ts_expires),
    toUnixTimestamp64Micro(ts_horizon) AS horizon_us,
    toUnixTimestamp64Micro(ts_expires) AS expires_us,
    toUnixTimestamp64Micro(ts_event) AS ts_event_us,
    toUnixTimestamp64Micro(ts_init) AS ts_init_us
FROM signal FINAL
WHERE run_id = {run_id:String} AND ts_event >= now() - INTERVAL 6 HOUR
ORDER BY ts_event
