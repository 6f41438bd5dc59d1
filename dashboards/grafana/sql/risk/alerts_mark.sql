SELECT
    ts_event AS time,
    concat(control, ': ', detail) AS text,
    control AS tags
FROM control_alert FINAL
WHERE mode = '${mode}' AND $__timeFilter(ts_event)
ORDER BY time
LIMIT 200
