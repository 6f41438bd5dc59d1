SELECT
    ts_event AS time,
    symbol,
    side,
    volume AS lots,
    toString(round(price, 5)) AS filled_at,
    if(side = 'buy', price - arrival_mid, arrival_mid - price) / nullIf(arrival_mid, 0) * 10000 AS slippage,
    profit + commission + swap AS booked,
    purpose,
    order_id,
    order_id AS trace
FROM order_event FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND kind IN ('filled', 'partially_filled', 'closed')
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
ORDER BY time DESC
LIMIT 100
