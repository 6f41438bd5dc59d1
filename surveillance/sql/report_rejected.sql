-- Per report and day, what of the repository's answers is an error and stands: rejections, records that nobody sent.
WITH

answered AS (
    SELECT
        seq,
        arrayStringConcat(arraySlice(splitByChar(' ', subject), 1, 2), ' ') AS report_day,
        JSONExtractUInt(detail, 'errors') AS errors
    FROM audit_event
    WHERE
        stream = 'people' AND ts_event >= now() - INTERVAL 60 DAY
        AND mode IN (SELECT mode FROM running_mode)
        AND action = 'repository answered'
)

SELECT
    report_day AS subject,
    toFloat64(argMax(errors, seq)) AS value
FROM answered
GROUP BY report_day
ORDER BY subject
