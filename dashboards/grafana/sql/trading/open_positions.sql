SELECT
    symbol,
    argMax(volume, seq) AS lots,
    argMax(profit_realised, seq) AS realised,
    toString(round(argMax(price, seq), 5)) AS entry,
    toString(round(argMax(stop_price, seq), 5)) AS stop,
    max(ts_event) AS since,
    account,
    source
FROM position
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    )
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY run_id, account, source, symbol
HAVING lots != 0
ORDER BY symbol
