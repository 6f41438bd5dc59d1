-- Checks whose newest result of the last day is not a pass, per suite.
WITH

newest AS (
    SELECT
        suite,
        argMax(status, ts_init) AS last_status
    FROM check_result
    WHERE ts_init >= now() - INTERVAL 1 DAY AND severity = 'error' AND suite != 'audit'
    GROUP BY suite, check_id, table_name
)

SELECT
    suite AS subject,
    toFloat64(countIf(last_status != 'passed')) AS value
FROM newest
GROUP BY suite
ORDER BY subject
