SELECT
    scenario,
    if(strategy = '', 'all', strategy) AS strategy,
    argMax(profit, (ts_event, ts_init)) AS profit,
    argMax(share, (ts_event, ts_init)) AS of_equity,
    argMax(if(isFinite(factor), factor, NULL), (ts_event, ts_init)) AS times_until_target,
    argMax(worst_symbol, (ts_event, ts_init)) AS worst,
    argMax(version, (ts_event, ts_init)) AS version
FROM stress_result
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY scenario, strategy
ORDER BY profit
