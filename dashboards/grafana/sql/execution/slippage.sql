SELECT
    $__timeInterval(ts_event) AS time,
    symbol,
    avg(if(side = 'buy', price - arrival_mid, arrival_mid - price) / arrival_mid * 10000) AS slippage
FROM order_event FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND kind IN ('filled', 'partially_filled') AND arrival_mid > 0
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY time, symbol
ORDER BY time
