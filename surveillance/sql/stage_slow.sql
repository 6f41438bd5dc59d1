-- p99 of the last five minutes, milliseconds, per stage that promises to stay below one. The disk's and the
-- broker's stages promise nothing. Fewer than a hundred say nothing.
SELECT
    stage AS subject,
    toFloat64(quantileExactWeighted(0.99) (upper_ns, `count`)) / 1000000 AS value
FROM stage_latency
WHERE
    run_id IN (
        SELECT run_id FROM session
        WHERE session_id IN (SELECT session_id FROM running_mode)
    ) AND mode IN (SELECT mode FROM running_mode)
    AND ts_event >= now() - INTERVAL 5 MINUTE AND stage IN ('feature', 'predict', 'risk')
GROUP BY stage
HAVING sum(`count`) >= 100
ORDER BY subject
