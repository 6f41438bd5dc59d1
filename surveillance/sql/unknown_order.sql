-- Orders whose outcome nobody knows, per account.
WITH

doubtful AS (
    SELECT order_id
    FROM order_event
    WHERE
        run_id IN (
            SELECT run_id FROM session
            WHERE session_id IN (SELECT session_id FROM running_mode)
        ) AND mode IN (SELECT mode FROM running_mode)
        AND kind = 'unknown'
),

each_one AS (
    SELECT
        e.account AS account,
        argMaxIf(e.kind, e.seq, e.kind NOT IN ('cancelling', 'modifying', 'modified', 'unmodified')) AS last_kind
    FROM order_event AS e
    WHERE
        e.run_id IN (
            SELECT run_id FROM session
            WHERE session_id IN (SELECT session_id FROM running_mode)
        ) AND e.order_id IN (SELECT order_id FROM doubtful)
    GROUP BY e.account, e.order_id
)

SELECT
    account AS subject,
    toFloat64(countIf(last_kind = 'unknown')) AS value
FROM each_one
GROUP BY account
ORDER BY subject
