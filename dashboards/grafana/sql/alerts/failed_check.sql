-- Checks whose newest result of the last day is not a pass.
SELECT countIf(last_status != 'passed') AS checks
FROM (
    SELECT argMax(status, ts_init) AS last_status
    FROM check_result
    WHERE ts_init >= now() - INTERVAL 1 DAY AND severity = 'error' AND suite != 'audit'
    GROUP BY suite, check_id, table_name
) AS each_one
