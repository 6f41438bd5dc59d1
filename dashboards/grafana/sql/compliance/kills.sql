SELECT
    ts_stopped AS stopped,
    state,
    stopped_by,
    reason,
    positions_closed,
    orders_cancelled,
    next_state,
    next_by,
    ts_next,
    account
FROM ${marts}.rpt_kill_register
WHERE
    report_date >= toDate($__fromTime) AND report_date <= toDate($__toTime)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
ORDER BY stopped DESC
LIMIT 100
