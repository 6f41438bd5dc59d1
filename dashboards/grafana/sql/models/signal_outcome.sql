SELECT
    strategy,
    symbol,
    count() AS signals,
    avg(confidence) AS mean_confidence
FROM signal
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND source = '${source}' AND $__timeFilter(ts_event)
GROUP BY strategy, symbol
ORDER BY signals DESC
