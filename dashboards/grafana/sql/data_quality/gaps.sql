SELECT
    source,
    symbol,
    ts_open AS silent_from,
    next_open AS until,
    dateDiff('minute', silent_from, until) AS minutes
FROM (
    SELECT
        source,
        symbol,
        ts_open,
        leadInFrame(ts_open) OVER (
            PARTITION BY source, symbol ORDER BY ts_open ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS next_open
    FROM (
        SELECT DISTINCT
            source,
            symbol,
            ts_open
        FROM bar_1m
        WHERE $__timeFilter(ts_open)
    ) AS minutes_with_ticks
) AS followed
WHERE next_open > ts_open + INTERVAL 2 MINUTE
ORDER BY minutes DESC
LIMIT 50
