SELECT
    $__timeInterval(ts_event) AS time,
    count() AS queries,
    countIf(code = 394) AS cancelled
FROM query_log
WHERE $__timeFilter(ts_event)
GROUP BY time
ORDER BY time
