SELECT
    $__timeInterval(ts_event) AS time,
    argMax(equity, ts_event) AS equity,
    argMax(balance, ts_event) AS balance
FROM account_state
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY time
ORDER BY time
