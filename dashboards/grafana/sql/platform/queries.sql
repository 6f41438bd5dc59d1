SELECT
    $__timeInterval(ts_event) AS time,
    count() AS queries
FROM query_log
WHERE $__timeFilter(ts_event)
GROUP BY time
ORDER BY time
