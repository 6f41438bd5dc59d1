SELECT
    symbol,
    dateDiff('second', max(ts_event), now()) AS age,
    max(ts_event) AS newest,
    source,
    count() AS ticks_in_its_minute
FROM tick
WHERE
    (source, symbol, toStartOfMinute(ts_event)) IN (
        SELECT
            source,
            symbol,
            toDateTime(max(ts_open))
        FROM bar_1m
        WHERE $__timeFilter(ts_open)
        GROUP BY source, symbol
    )
GROUP BY source, symbol
ORDER BY age DESC
