SELECT
    $__timeInterval(ts_event) AS time,
    symbol,
    avg(quality != 0) AS flagged
FROM tick
WHERE source = '${source}' AND $__timeFilter(ts_event) AND ts_event >= $__toTime - INTERVAL 1 DAY
GROUP BY time, symbol
ORDER BY time
