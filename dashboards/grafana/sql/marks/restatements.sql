SELECT
    ts_event AS time,
    concat('restated: ', subject, ' by ', actor) AS text,
    splitByChar(' ', subject)[1] AS tags
FROM audit_event
WHERE
    stream = 'people' AND $__timeFilter(ts_event)
    AND action = 'restatement' AND mode = '${mode}'
ORDER BY time
LIMIT 200
