SELECT
    $__timeInterval(ts_event) AS time,
    sum(sum(profit + commission + swap)) OVER (ORDER BY time) AS realised
FROM order_event FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND kind IN ('filled', 'partially_filled', 'closed')
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY time
ORDER BY time
