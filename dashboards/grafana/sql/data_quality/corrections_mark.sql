SELECT
    ts_known AS time,
    concat(toString(corrected), ' ticks of ', source, ' ', symbol, ' corrected by ', author, ': ', reason) AS text,
    author AS tags
FROM correction FINAL
WHERE $__timeFilter(ts_known)
ORDER BY time
LIMIT 200
