SELECT
    account,
    firm,
    replaceAll(rule, '_', ' ') AS rule,
    argMax(`limit`, (ts_event, seq)) AS may_be,
    argMax(observed, (ts_event, seq)) AS is_now,
    argMax(headroom, (ts_event, seq)) AS left_now,
    argMax(least_headroom, (ts_event, seq)) AS least_left,
    if(max(ts_broken) > toDateTime64('1970-01-02 00:00:00', 6, 'UTC'), 'broken', 'kept') AS verdict
FROM firm_rule_state
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY account, firm, rule
ORDER BY account, firm, rule
