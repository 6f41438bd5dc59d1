SELECT
    process,
    argMax(status, (incarnation, heartbeat)) AS last_status,
    dateDiff('second', max(ts_event), now()) AS age,
    dateDiff('second', fromUnixTimestamp64Micro(max(incarnation)), max(ts_event)) AS up,
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
