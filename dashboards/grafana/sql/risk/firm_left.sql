SELECT
    $__timeInterval(ts_event) AS time,
    concat(account, ' ', replaceAll(rule, '_', ' ')) AS rule_of,
    min(headroom / nullIf(`limit`, 0)) AS share_left
FROM firm_rule_state
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(account IN (${account:singlequote}), $account)
    AND rule IN ('daily_loss', 'drawdown', 'open_lots')
GROUP BY time, rule_of
ORDER BY time
