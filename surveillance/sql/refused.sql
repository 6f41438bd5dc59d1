-- Share of the window's orders that the broker rejected, or whose outcome nobody knows, per account.
WITH

sent AS (
    SELECT
        account,
        order_id,
        max(kind IN ('rejected', 'unknown')) AS is_refused
    FROM order_event
    WHERE
        run_id IN (
            SELECT run_id FROM session
            WHERE session_id IN (SELECT session_id FROM running_mode)
        ) AND mode IN (SELECT mode FROM running_mode)
        AND ts_event >= now() - toIntervalSecond({window_s:UInt32})
        AND kind IN ('submitted', 'rejected', 'unknown')
    GROUP BY account, order_id
    HAVING countIf(kind = 'submitted') > 0
)

SELECT
    account AS subject,
    toFloat64(avg(is_refused)) AS value
FROM sent
GROUP BY account
HAVING count() >= {orders:UInt32}
ORDER BY subject
