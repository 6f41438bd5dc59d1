-- Seconds since the longest silent process of the last hour that did not say it was stopping.
SELECT max(silent) AS age
FROM (
    SELECT
        process,
        dateDiff('second', max(ts_event), now()) AS silent,
        argMax(status, (incarnation, heartbeat)) AS last_status
    FROM process_state
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = 'live'
        ) AND ts_event >= now() - INTERVAL 1 HOUR
    GROUP BY process
) AS each_one
WHERE last_status != 'stopping'
HAVING count() > 0
