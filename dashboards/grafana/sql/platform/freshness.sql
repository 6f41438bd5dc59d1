SELECT
    source,
    symbol,
    max(ts_event) AS newest,
    dateDiff('second', newest, now()) AS age,
    count() AS ticks
FROM tick
WHERE $__timeFilter(ts_event)
GROUP BY source, symbol
ORDER BY age DESC
