SELECT
    $__timeInterval(ts_event) AS time,
    measure,
    max(expected_shortfall) AS most
FROM value_at_risk
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
    AND strategy = '' AND horizon = '1d' AND confidence = 0.99
GROUP BY time, measure
ORDER BY time
