SELECT
    currency,
    sum(exposure) AS held
FROM currency_exposure FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event) AND strategy = ''
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
    AND (run_id, account, ts_event) IN (
        SELECT
            run_id,
            account,
            max(ts_event)
        FROM portfolio_risk
        WHERE $__timeFilter(ts_event)
        GROUP BY run_id, account
    )
GROUP BY currency
ORDER BY currency
