SELECT
    stage,
    sum(`count`) AS times,
    quantileExactWeighted(0.5) (upper_ns, `count`) / 1000 AS p50,
    quantileExactWeighted(0.99) (upper_ns, `count`) / 1000 AS p99,
    max(max_ns) / 1000 AS longest
FROM stage_latency
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
GROUP BY stage
ORDER BY indexOf(
    ['collect', 'feature', 'predict', 'publish', 'tick_to_signal', 'risk', 'journal', 'send', 'signal_to_order'], stage
)
