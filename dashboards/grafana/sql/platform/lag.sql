SELECT
    $__timeInterval(ts_event) AS time,
    concat(source, ' ', symbol) AS feed,
    quantile(0.99) (dateDiff('millisecond', ts_event, ts_recv)) AS lag
FROM tick
WHERE $__timeFilter(ts_event)
GROUP BY time, feed
ORDER BY time
