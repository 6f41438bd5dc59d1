SELECT 1 - newest / nullIf(peak, 0) AS drawdown
FROM (
    SELECT
        argMax(equity, ts_event) AS newest,
        max(equity) AS peak,
        count() AS states
    FROM account_state
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        ) AND $__timeFilter(ts_event)
        AND $__conditionalAll(account IN (${account:singlequote}), $account)
) AS span
WHERE states > 0
