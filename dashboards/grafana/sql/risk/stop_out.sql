SELECT
    $__timeInterval(ts_event) AS time,
    account,
    min(stop_out_days) AS days
FROM portfolio_risk
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
    AND strategy = '' AND stop_out_days != 0
GROUP BY time, account
ORDER BY time
