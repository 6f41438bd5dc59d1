-- The newest moment with figures of each account; of the last day, so that a desk that rests shows nothing old.
SELECT
    p.run_id AS run_id,
    p.account AS account,
    p.ts_event AS ts_event,
    toUnixTimestamp64Micro(p.ts_event) AS at_us,
    p.currency AS currency,
    p.positions AS positions,
    p.gross AS gross,
    p.net AS net,
    p.correlated AS correlated,
    p.concentration AS concentration,
    p.equity AS equity,
    p.stop_out AS stop_out,
    p.stop_out_days AS stop_out_days,
    p.swap_1d AS swap_1d,
    p.observations AS observations,
    p.problem AS problem
FROM portfolio_risk AS p FINAL
WHERE p.run_id = {run_id:String} AND p.account = {account:String} AND p.strategy = ''
ORDER BY p.ts_event DESC
LIMIT 1
