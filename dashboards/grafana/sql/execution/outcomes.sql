SELECT
    $__timeInterval(ts_event) AS time,
    toString(kind) AS outcome,
    count() AS orders
FROM order_event FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND kind IN ('filled', 'rejected', 'denied', 'cancelled', 'expired', 'unknown')
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY time, outcome
ORDER BY time
