-- The newest result of each scenario.
SELECT
    s.scenario AS scenario,
    argMax(s.profit, (s.ts_event, s.ts_init)) AS lost_or_won,
    argMax(s.share, (s.ts_event, s.ts_init)) AS of_equity,
    argMax(s.factor, (s.ts_event, s.ts_init)) AS times,
    argMax(s.worst_symbol, (s.ts_event, s.ts_init)) AS worst,
    max(s.ts_event) AS as_of
FROM stress_result AS s
WHERE s.run_id = {run_id:String} AND s.account = {account:String} AND s.strategy = ''
GROUP BY scenario
ORDER BY lost_or_won
