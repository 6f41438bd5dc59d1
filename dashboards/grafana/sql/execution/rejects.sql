SELECT
    reason,
    symbol,
    count() AS rejected,
    max(ts_event) AS last
FROM order_event FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND kind IN ('rejected', 'unknown', 'expired')
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY reason, symbol
ORDER BY rejected DESC
LIMIT 50
