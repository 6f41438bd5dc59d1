SELECT
    source,
    symbol,
    reason,
    count() AS refused,
    max(ts_recv) AS last
FROM tick_quarantine
WHERE $__timeFilter(ts_recv)
GROUP BY source, symbol, reason
ORDER BY refused DESC
