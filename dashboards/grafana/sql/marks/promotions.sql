SELECT
    ts_event AS time,
    concat(action, ' by ', actor, ': ', left(JSONExtractString(detail, 'text'), 12)) AS text,
    action AS tags
FROM audit_event
WHERE
    stream = 'people' AND $__timeFilter(ts_event)
    AND action IN ('promote', 'rollback')
ORDER BY time
LIMIT 200
