SELECT
    currency,
    argMax(exposure, ts_event) AS held
FROM currency_exposure
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
    AND strategy = ''
GROUP BY currency
ORDER BY currency
