SELECT
    $__timeInterval(ts_event) AS time,
    stage,
    quantileExactWeighted(0.5) (upper_ns, `count`) / 1000 AS p50,
    quantileExactWeighted(0.99) (upper_ns, `count`) / 1000 AS p99
FROM stage_latency
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND stage IN ('risk', 'journal', 'send', 'signal_to_order')
GROUP BY time, stage
ORDER BY time
