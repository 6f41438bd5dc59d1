SELECT
    ts_event AS time,
    actor,
    action,
    subject,
    reason,
    JSONExtractString(detail, 'text') AS said
FROM audit_event
WHERE stream = 'people' AND $__timeFilter(ts_event)
ORDER BY time DESC
LIMIT 200
