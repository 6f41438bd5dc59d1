SELECT
    source,
    symbol,
    count() AS ticks,
    min(ts_event) AS first,
    max(ts_event) AS last
FROM tick FINAL
GROUP BY source, symbol
ORDER BY symbol, source
