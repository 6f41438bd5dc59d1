SELECT
    symbol,
    p_up,
    p_down,
    confidence,
    formatDateTime(ts_event, '%H:%i:%S') AS at,
    left(model, 8) AS model
FROM prediction
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND (source, symbol, toStartOfMinute(ts_event)) IN (
        SELECT
            source,
            symbol,
            toDateTime(arrayJoin([max(ts_open), max(ts_open) - INTERVAL 1 MINUTE]))
        FROM bar_1m
        WHERE source = '${source}' AND $__timeFilter(ts_open)
        GROUP BY source, symbol
    )
ORDER BY ts_event DESC, seq DESC
LIMIT 1 BY source, symbol
