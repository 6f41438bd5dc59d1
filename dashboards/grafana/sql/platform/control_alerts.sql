SELECT
    ts_event AS time,
    control,
    account,
    subject,
    detail,
    dateDiff('millisecond', ts_event, ts_raised) / 1000 AS raised_after,
    channel
FROM control_alert FINAL
WHERE mode = '${mode}' AND $__timeFilter(ts_event)
ORDER BY time DESC
LIMIT 100
