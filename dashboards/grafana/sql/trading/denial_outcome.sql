SELECT
    rule,
    limits_version,
    count() AS denied,
    countIf(would_have_made IS NOT NULL) AS judged,
    sum(would_have_made) AS before_costs,
    sum(would_have_made - commission_saved) AS after_costs
FROM ${marts}.fct_denial_outcome
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_denied)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY rule, limits_version
ORDER BY before_costs DESC
