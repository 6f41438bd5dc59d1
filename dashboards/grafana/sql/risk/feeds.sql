SELECT
    source,
    symbol,
    argMax(lots, ts_event) AS lots,
    argMax(exposure, ts_event) AS exposure,
    argMax(correlated, ts_event) AS moves_with_it,
    argMax(contribution, ts_event) AS of_variance
FROM feed_exposure
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
    AND strategy = ''
GROUP BY source, symbol
ORDER BY abs(exposure) DESC
