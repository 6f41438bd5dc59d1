SELECT
    status,
    severity,
    item,
    count() AS items,
    sum(abs(difference)) AS apart,
    max(report_date) AS last_day,
    account
FROM ${marts}.rpt_broker_reconciliation
WHERE
    report_date >= toDate($__fromTime) AND report_date <= toDate($__toTime)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
GROUP BY status, severity, item, account
ORDER BY severity ASC, items DESC
