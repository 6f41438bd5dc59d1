-- How far equity is below its peak of the last day, as a share, per account. Between two records of the journal equities
-- have the same number.
WITH

equities AS (
    SELECT
        account,
        max(equity) AS peak,
        argMax(equity, (seq, ts_event)) AS newest
    FROM account_state
    WHERE
        run_id IN (
            SELECT run_id FROM session
            WHERE session_id IN (SELECT session_id FROM running_mode)
        ) AND mode IN (SELECT mode FROM running_mode)
        AND ts_event >= now() - INTERVAL 1 DAY
    GROUP BY account
)

SELECT
    account AS subject,
    1 - newest / peak AS value
FROM equities
WHERE peak > 0
ORDER BY subject
