SELECT
    $__timeInterval(ts_open) AS time,
    concat(source, ' ', symbol) AS feed,
    sum(ticks) AS ticks_stored
FROM (
    SELECT
        source,
        symbol,
        ts_open,
        groupBitmapMerge(tick_count) AS ticks
    FROM bar_1m
    WHERE $__timeFilter(ts_open)
    GROUP BY source, symbol, ts_open
) AS minute_bars
GROUP BY time, feed
ORDER BY time
