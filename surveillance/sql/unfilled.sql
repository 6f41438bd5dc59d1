-- Share of the window's orders that were sent and not filled, per account. Orders of the last half minute may
-- still wait for their answer.
WITH

sent AS (
    SELECT
        account,
        order_id,
        max(kind = 'filled') AS is_filled
    FROM order_event
    WHERE
        run_id IN (
            SELECT run_id FROM session
            WHERE session_id IN (SELECT session_id FROM running_mode)
        ) AND mode IN (SELECT mode FROM running_mode)
        AND ts_event >= now() - toIntervalSecond({window_s:UInt32})
        AND kind IN ('submitted', 'filled')
    GROUP BY account, order_id
    HAVING countIf(kind = 'submitted') > 0 AND minIf(ts_event, kind = 'submitted') < now() - INTERVAL 30 SECOND
)

SELECT
    account AS subject,
    1 - avg(is_filled) AS value
FROM sent
GROUP BY account
HAVING count() >= {orders:UInt32}
ORDER BY subject
