SELECT
    ts_event AS time,
    concat(
        side, ' ', toString(volume), ' ', symbol, ' at ', toString(price), ', ', purpose,
        ' <a href="/d/tickhouse-trading?var-mode=${mode}&var-order=', order_id, '">lineage</a>'
    ) AS text,
    purpose AS tags
FROM order_event FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND symbol = '${symbol}' AND $__timeFilter(ts_event)
    AND kind IN ('filled', 'partially_filled', 'closed')
ORDER BY time DESC
LIMIT 100
