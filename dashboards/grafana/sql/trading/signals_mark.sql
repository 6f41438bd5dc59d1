SELECT
    ts_event AS time,
    concat(
        multiIf(
            action = 'cancel', concat('takes back ', name, ' '),
            action != '', concat(if(action = 'modify', 'moves ', ''), if(target > 0, 'buy ', 'sell '), entry, ' ', name, ' '),
            target > 0, 'long ', target < 0, 'short ', 'flat '
        ), symbol
    ) AS text,
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
