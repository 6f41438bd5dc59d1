-- What is left before each rule of the account's firm.
SELECT
    * EXCEPT (ts_event, ts_init, ts_broken, ts_least),
    toUnixTimestamp64Micro(ts_event) AS ts_event_us,
    toUnixTimestamp64Micro(ts_init) AS ts_init_us,
    toUnixTimestamp64Micro(ts_broken) AS broken_us,
    toUnixTimestamp64Micro(ts_least) AS least_us
FROM firm_rule_state
WHERE run_id = {run_id:String} AND account = {account:String}
ORDER BY ts_event DESC, seq DESC
LIMIT 1 BY firm, rule
