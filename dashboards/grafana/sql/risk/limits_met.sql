SELECT
    reason AS rule,
    count() AS denied,
    argMax(`limit`, seq) AS last_limit,
    argMax(observed, seq) AS last_observed,
    max(observed) AS most_observed,
    max(ts_event) AS last,
    argMax(limits_version, seq) AS limits
FROM order_event FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event) AND kind = 'denied'
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY rule
ORDER BY denied DESC, rule ASC
