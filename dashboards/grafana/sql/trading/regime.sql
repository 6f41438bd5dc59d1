SELECT
    ts_event AS time,
    symbol,
    toFloat64(indexOf(['calm', 'normal', 'wild'], regime)) AS regime
FROM regime FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND source = '${source}'
ORDER BY time, symbol
