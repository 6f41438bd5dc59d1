SELECT
    reason AS rule,
    count() AS denied
FROM order_event FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event) AND kind = 'denied'
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY rule
ORDER BY denied DESC
LIMIT 12
