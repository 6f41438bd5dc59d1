SELECT
    time,
    `open`,
    high,
    low,
    `close`
FROM (
    SELECT
        ts_open AS time,
        toFloat64(argMinMerge(bid_open)) AS `open`,
        toFloat64(max(bid_high)) AS high,
        toFloat64(min(bid_low)) AS low,
        toFloat64(argMaxMerge(bid_close)) AS `close`
    FROM bar_1m
    WHERE
        source = '${source}' AND symbol = '${symbol}' AND $__timeFilter(ts_open)
        AND $__interval_s < 300
    GROUP BY time
    UNION ALL
    SELECT
        ts_open AS time,
        toFloat64(argMinMerge(bid_open)) AS `open`,
        toFloat64(max(bid_high)) AS high,
        toFloat64(min(bid_low)) AS low,
        toFloat64(argMaxMerge(bid_close)) AS `close`
    FROM bar_5m
    WHERE
        source = '${source}' AND symbol = '${symbol}' AND $__timeFilter(ts_open)
        AND $__interval_s >= 300 AND $__interval_s < 3600
    GROUP BY time
    UNION ALL
    SELECT
        ts_open AS time,
        toFloat64(argMinMerge(bid_open)) AS `open`,
        toFloat64(max(bid_high)) AS high,
        toFloat64(min(bid_low)) AS low,
        toFloat64(argMaxMerge(bid_close)) AS `close`
    FROM bar_1h
    WHERE
        source = '${source}' AND symbol = '${symbol}' AND $__timeFilter(ts_open)
        AND $__interval_s >= 3600
    GROUP BY time
) AS bars
ORDER BY time
