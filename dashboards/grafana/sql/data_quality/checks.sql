SELECT
    argMax(status, ts_init) AS last_status,
    suite,
    check_id,
    argMax(observed, ts_init) AS last_observed,
    argMax(expected, ts_init) AS last_expected,
    max(ts_init) AS checked
FROM check_result
WHERE $__timeFilter(ts_init)
GROUP BY suite, check_id, table_name
ORDER BY last_status = 'passed', suite, check_id
