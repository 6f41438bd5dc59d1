SELECT
    time,
    concat(source, ' ', symbol) AS feed,
    lag
FROM (
    SELECT
        $__timeInterval(ts_event) AS time,
        source,
        symbol,
        quantile(0.99) (dateDiff('millisecond', ts_event, ts_recv)) AS lag
    FROM tick
    WHERE $__timeFilter(ts_event) AND ts_event >= $__toTime - INTERVAL 1 DAY
    GROUP BY time, source, symbol
) AS by_feed
ORDER BY time
