SELECT
    ts_event AS time,
    account,
    max(gross_lots) AS gross
FROM exposure_rate
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY time, account
ORDER BY time
