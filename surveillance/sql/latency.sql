-- p99 of signal to order in the last five minutes, milliseconds, per process.
SELECT
    process AS subject,
    toFloat64(quantileExactWeighted(0.99) (upper_ns, `count`)) / 1000000 AS value
FROM stage_latency
WHERE
    run_id IN (
        SELECT run_id FROM session
        WHERE session_id IN (SELECT session_id FROM running_mode)
    ) AND mode IN (SELECT mode FROM running_mode)
    AND ts_event >= now() - INTERVAL 5 MINUTE AND stage = 'signal_to_order'
GROUP BY process
ORDER BY subject
