-- Reports of yesterday that were not made by 03:00 UTC, of those that were made in the last two weeks.
SELECT if(now() < toDateTime(today()) + INTERVAL 3 HOUR, 0, uniqExact(report) - uniqExactIf(report, is_yesterdays)) AS late
FROM (
    SELECT
        splitByChar(' ', subject)[1] AS report,
        toDateOrZero(splitByChar(' ', subject)[2]) = yesterday() AS is_yesterdays
    FROM audit_event
    WHERE
        stream = 'people' AND mode = 'live' AND ts_event >= now() - INTERVAL 14 DAY
        AND action IN ('report made', 'restatement')
) AS noted
WHERE report != 'self-assessment'
HAVING count() > 0
