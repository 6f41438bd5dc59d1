SELECT
    source,
    symbol,
    count() AS orders,
    countIf(real_volume > 0) AS filled,
    countIf(twin_volume > 0) AS twin_filled,
    countIf(real_outcome = 'rejected') AS rejected,
    countIf(twin_outcome = 'rejected') AS twin_rejected,
    avgIf(
        if(side = 'buy', real_price - twin_price, twin_price - real_price) / arrival_mid * 10000,
        real_volume > 0 AND twin_volume > 0 AND arrival_mid > 0
    ) AS worse_by_bp,
    quantileExactIf(0.5) (real_latency_ms, real_volume > 0) AS latency_p50,
    quantileExactIf(0.99) (real_latency_ms, real_volume > 0) AS latency_p99,
    quantileExactIf(0.5) (twin_latency_ms, twin_volume > 0) AS twin_latency_p50
FROM twin_comparison FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY source, symbol
ORDER BY orders DESC
