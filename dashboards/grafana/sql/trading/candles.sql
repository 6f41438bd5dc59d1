SELECT
    time,
    `open`,
    high,
    low,
    `close`
FROM (
    SELECT
        ts_open AS time,
        argMinMerge(bid_open) AS `open`,
        max(bid_high) AS high,
        min(bid_low) AS low,
        argMaxMerge(bid_close) AS `close`
    FROM bar_1m
    WHERE
        source = '${source}' AND symbol = '${symbol}' AND $__timeFilter(ts_open)
        AND $__interval_s < 300
    GROUP BY time
    UNION ALL
    SELECT
        ts_open AS time,
        argMinMerge(bid_open) AS `open`,
        max(bid_high) AS high,
        min(bid_low) AS low,
        argMaxMerge(bid_close) AS `close`
    FROM bar_5m
    WHERE
        source = '${source}' AND symbol = '${symbol}' AND $__timeFilter(ts_open)
        AND $__interval_s >= 300 AND $__interval_s < 3600
    GROUP BY time
    UNION ALL
    SELECT
        ts_open AS time,
        argMinMerge(bid_open) AS `open`,
        max(bid_high) AS high,
        min(bid_low) AS low,
        argMaxMerge(bid_close) AS `close`
    FROM bar_1h
    WHERE
        source = '${source}' AND symbol = '${symbol}' AND $__timeFilter(ts_open)
        AND $__interval_s >= 3600
    GROUP BY time
) AS bars
ORDER BY time
