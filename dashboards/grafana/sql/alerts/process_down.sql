-- Seconds since the longest silent process that measured something in the last quarter of an hour.
SELECT max(silent) AS age
FROM (
    SELECT
        process,
        dateDiff('second', max(ts_event), now()) AS silent
    FROM stage_latency
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = 'live'
        ) AND ts_event >= now() - INTERVAL 15 MINUTE
    GROUP BY process
) AS each_one
