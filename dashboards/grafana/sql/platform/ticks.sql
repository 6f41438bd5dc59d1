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
    WHERE $__timeFilter(ts_open) AND $__interval_s < 300
    GROUP BY source, symbol, ts_open
    UNION ALL
    SELECT
        source,
        symbol,
        ts_open,
        groupBitmapMerge(tick_count) AS ticks
    FROM bar_5m
    WHERE $__timeFilter(ts_open) AND $__interval_s >= 300 AND $__interval_s < 3600
    GROUP BY source, symbol, ts_open
    UNION ALL
    SELECT
        source,
        symbol,
        ts_open,
        groupBitmapMerge(tick_count) AS ticks
    FROM bar_1h
    WHERE $__timeFilter(ts_open) AND $__interval_s >= 3600
    GROUP BY source, symbol, ts_open
) AS bars
GROUP BY time, source, symbol
ORDER BY time
