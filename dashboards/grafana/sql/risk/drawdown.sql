SELECT
    time,
    1 - lowest / nullIf(max(highest) OVER (ORDER BY time ASC), 0) AS drawdown
FROM (
    SELECT
        $__timeInterval(ts_event) AS time,
        min(equity) AS lowest,
        max(equity) AS highest
    FROM account_state
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        ) AND $__timeFilter(ts_event)
        AND $__conditionalAll(account IN (${account:singlequote}), $account)
    GROUP BY time
) AS by_time
ORDER BY time
