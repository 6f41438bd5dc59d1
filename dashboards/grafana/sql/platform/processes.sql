SELECT
    process,
    max(ts_event) AS heard,
    dateDiff('second', heard, now()) AS age,
    uniqExact(incarnation) AS starts
FROM stage_latency
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
GROUP BY process
ORDER BY age DESC
