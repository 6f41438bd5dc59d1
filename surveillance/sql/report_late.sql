-- 1 for each report of the last two weeks that was not made for yesterday (UTC) by 03:00 UTC.
WITH

noted AS (
    SELECT
        splitByChar(' ', subject)[1] AS report,
        toDateOrZero(splitByChar(' ', subject)[2]) = yesterday() AS is_yesterdays
    FROM audit_event
    WHERE
        stream = 'people' AND ts_event >= now() - INTERVAL 14 DAY
        AND mode IN (SELECT mode FROM running_mode)
        AND action IN ('report made', 'restatement')
)

SELECT
    report AS subject,
    toFloat64(now() >= toDateTime(today()) + INTERVAL 3 HOUR AND max(is_yesterdays) = 0) AS value
FROM noted
WHERE report NOT IN ('self-assessment', 'execution-quality-quarter', 'retention')
GROUP BY report
ORDER BY subject
