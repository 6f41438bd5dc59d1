SELECT
    ts_event AS time,
    symbol,
    net_notional AS notional
FROM exposure_rate FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
ORDER BY time
