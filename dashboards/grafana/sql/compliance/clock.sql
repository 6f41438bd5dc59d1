SELECT
    $__timeInterval(ts_event) AS time,
    concat(host, ' ', source) AS reference,
    argMax(offset_us, abs(offset_us)) AS furthest
FROM clock_sync
WHERE $__timeFilter(ts_event)
GROUP BY time, reference
ORDER BY time
