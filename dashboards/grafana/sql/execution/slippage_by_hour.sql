SELECT
    leftPad(toString(toHour(ts_event)), 2, '0') AS hour_utc,
    count() AS fills,
    avg(if(side = 'buy', price - arrival_mid, arrival_mid - price) / arrival_mid * 10000) AS slippage,
    quantile(0.95) (if(side = 'buy', price - arrival_mid, arrival_mid - price) / arrival_mid * 10000) AS slippage_p95
FROM order_event FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND kind IN ('filled', 'partially_filled') AND arrival_mid > 0
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY hour_utc
ORDER BY hour_utc
