-- p99 of signal to order in the last five minutes, milliseconds.
SELECT quantileExactWeighted(0.99) (upper_ns, `count`) / 1000000 AS p99
FROM stage_latency
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = 'live'
    ) AND ts_event >= now() - INTERVAL 5 MINUTE
    AND stage = 'signal_to_order'
HAVING sum(`count`) > 0
