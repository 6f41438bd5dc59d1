SELECT
    ts_event AS time,
    concat(if(target > 0, 'long ', if(target < 0, 'short ', 'flat ')), symbol) AS text,
    strategy AS tags
FROM signal
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND source = '${source}' AND symbol = '${symbol}'
    AND $__timeFilter(ts_event)
ORDER BY time DESC
LIMIT 100
