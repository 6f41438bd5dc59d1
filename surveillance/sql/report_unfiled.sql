-- Days of the last two weeks whose report to an authority was made and not released by the working day after (Monday to
-- Friday: holidays are not known here), per report. It is watched from the firm's first release of it on.
WITH

noted AS (
    SELECT
        splitByChar(' ', subject)[1] AS report,
        toDateOrZero(splitByChar(' ', subject)[2]) AS day,
        countIf(action = 'report released') > 0 AS is_released
    FROM audit_event
    WHERE
        stream = 'people' AND mode IN (SELECT mode FROM running_mode)
        AND action IN ('report made', 'restatement', 'report released')
    GROUP BY report, day
)

SELECT
    report AS subject,
    toFloat64(arrayCount(
        one ->
        NOT one.2 AND one.1 >= today() - 14 AND one.1 > arrayMin(arrayMap(d -> d.1, arrayFilter(d -> d.2, days)))
        AND today() > one.1 + multiIf(toDayOfWeek(one.1) = 5, 3, toDayOfWeek(one.1) = 6, 2, 1),
        groupArray((day, is_released)) AS days
    )) AS value
FROM noted
WHERE report IN ('rts22', 'emir')
GROUP BY report
HAVING countIf(is_released) > 0
ORDER BY subject
