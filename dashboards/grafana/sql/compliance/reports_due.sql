WITH

noted AS (
    SELECT
        splitByChar(' ', subject)[1] AS report,
        toDateOrZero(splitByChar(' ', subject)[2]) AS report_day,
        action,
        ts_event
    FROM audit_event
    WHERE
        stream = 'people' AND ts_event >= now() - INTERVAL 30 DAY AND mode = '${mode}'
        AND action IN ('report made', 'restatement', 'report signed', 'report released')
),

owed AS (
    SELECT DISTINCT
        report,
        today() - arrayJoin(range(1, 8)) AS due_for
    FROM noted
    WHERE report != 'self-assessment'
),

had AS (
    SELECT
        report,
        report_day,
        countIf(action IN ('report made', 'restatement')) AS versions,
        countIf(action = 'report signed') AS signed,
        countIf(action = 'report released') AS released,
        max(ts_event) AS last
    FROM noted
    GROUP BY report, report_day
)

SELECT
    owed.report AS report,
    owed.due_for AS day,
    multiIf(
        had.released > 0, 'released', had.signed > 0, 'waits for its release',
        had.versions > 0, 'waits for a signature',
        now() > toDateTime(owed.due_for) + INTERVAL 27 HOUR, 'late', 'due'
    ) AS state,
    had.versions AS versions,
    nullIf(had.last, toDateTime64(0, 6, 'UTC')) AS last
FROM owed
LEFT JOIN had ON owed.report = had.report AND owed.due_for = had.report_day
ORDER BY state = 'late' DESC, state = 'due' DESC, day DESC, report ASC
