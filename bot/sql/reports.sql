-- The newest version of each report that was made for a day.
SELECT
    splitByChar(' ', subject)[1] AS report,
    argMax(splitByChar(' ', subject)[2], ts_event) AS of_day,
    argMax(actor, ts_event) AS made_by,
    toUnixTimestamp64Micro(max(ts_event)) AS ts_event_us
FROM audit_event
WHERE stream = 'people' AND action IN ('report made', 'restatement')
GROUP BY report
ORDER BY report
