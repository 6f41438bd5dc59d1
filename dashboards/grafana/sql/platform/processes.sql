SELECT
    process,
    argMax(status, (incarnation, heartbeat)) AS last_status,
    max(ts_event) AS heard,
    dateDiff('second', heard, now()) AS age,
    dateDiff('second', fromUnixTimestamp64Micro(max(incarnation)), heard) AS up,
    uniqExact(incarnation) AS starts,
    argMax(detail, (incarnation, heartbeat)) AS says
FROM process_state
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
GROUP BY process
ORDER BY last_status = 'stopping' ASC, age DESC
