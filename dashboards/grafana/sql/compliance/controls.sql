SELECT
    number,
    ts_event AS signed,
    kind,
    subject,
    actor,
    raises,
    changes,
    reason
FROM control_version
WHERE $__timeFilter(ts_event)
ORDER BY number DESC
LIMIT 100
