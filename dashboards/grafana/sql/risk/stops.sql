SELECT
    ts_event AS time,
    state,
    by AS stopped_by,
    reason,
    account
FROM risk_state FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND (by LIKE 'breaker %' OR by IN ('lease', 'balance'))
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
ORDER BY time DESC
LIMIT 100
