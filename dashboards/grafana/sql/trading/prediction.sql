SELECT
    symbol,
    p_down,
    p_flat,
    p_up,
    confidence,
    left(model, 8) AS model,
    ts_event AS time
FROM prediction
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND source = '${source}'
ORDER BY ts_event DESC, seq DESC
LIMIT 1 BY source, symbol
