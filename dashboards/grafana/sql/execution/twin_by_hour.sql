SELECT
    leftPad(toString(toHour(ts_event)), 2, '0') AS hour_utc,
    avgIf(
        if(side = 'buy', real_price - arrival_mid, arrival_mid - real_price) / arrival_mid * 10000, real_volume > 0
    ) AS broker,
    avgIf(
        if(side = 'buy', twin_price - arrival_mid, arrival_mid - twin_price) / arrival_mid * 10000, twin_volume > 0
    ) AS twin
FROM twin_comparison FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event) AND arrival_mid > 0
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY hour_utc
ORDER BY hour_utc
