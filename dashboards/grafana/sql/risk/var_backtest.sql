SELECT
    measure,
    confidence,
    horizon,
    observations,
    exceptions,
    expected,
    kupiec,
    conditional,
    zone,
    verdict
FROM ${marts}.fct_var_backtest
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_last) AND strategy = ''
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
ORDER BY measure, confidence, horizon
