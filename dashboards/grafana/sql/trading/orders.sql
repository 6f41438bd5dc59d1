WITH

-- Enough events for 200 orders, so that a long span is not grouped whole.
newest AS (
    SELECT order_id
    FROM order_event
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        ) AND $__timeFilter(ts_event)
        AND $__conditionalAll(account IN (${account:singlequote}), $account)
    ORDER BY ts_event DESC
    LIMIT 5000
)

SELECT
    max(ts_event) AS time,
    any(symbol) AS symbol,
    argMax(side, seq) AS side,
    argMax(purpose, seq) AS purpose,
    argMax(toString(kind), seq) AS status,
    maxIf(volume, kind IN ('submitted', 'denied')) AS lots,
    toString(round(argMaxIf(price, seq, kind IN ('filled', 'partially_filled', 'closed')), 5)) AS filled_at,
    sum(profit + commission + swap) AS profit,
    argMax(reason, seq) AS reason,
    order_id,
    order_id AS trace
FROM order_event FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND order_id IN (SELECT order_id FROM newest)
    AND kind NOT IN ('booked', 'cancelling', 'stop_moving', 'stop_moved', 'stop_kept', 'modifying', 'modified', 'unmodified')
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY run_id, order_id
ORDER BY time DESC
LIMIT 200
