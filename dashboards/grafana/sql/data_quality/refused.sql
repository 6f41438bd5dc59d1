SELECT
    $__timeInterval(ts_recv) AS time,
    reason,
    count() AS refused
FROM tick_quarantine
WHERE $__timeFilter(ts_recv)
GROUP BY time, reason
ORDER BY time
