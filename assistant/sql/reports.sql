-- The newest version of each report of each day that was made.
SELECT
    splitByChar(' ', subject)[1] AS report,
    splitByChar(' ', subject)[2] AS of_day,
    argMax(actor, ts_event) AS made_by,
    max(ts_event) AS made_at,
    toUInt32(count()) AS versions
FROM audit_event
WHERE stream = 'people' AND action IN ('report made', 'restatement')
GROUP BY report, of_day
ORDER BY of_day DESC, report ASC
