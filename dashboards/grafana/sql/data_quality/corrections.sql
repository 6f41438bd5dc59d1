SELECT
    ts_known AS known,
    symbol,
    corrected,
    withdrawn,
    author,
    reason,
    origin,
    source
FROM correction FINAL
WHERE $__timeFilter(ts_known)
ORDER BY known DESC
LIMIT 100
