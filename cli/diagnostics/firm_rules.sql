-- What is left before each rule of an account's firm.
SELECT
    rule,
    limit,
    headroom,
    toUnixTimestamp64Micro(ts_broken) AS broken_us
FROM firm_rule_state
WHERE account = {account:String} AND mode NOT IN ('replay', 'backtest')
ORDER BY ts_event DESC, seq DESC
LIMIT 1 BY firm, rule
