-- Breakers that hold trading back now: 1 for each whose word is the newest of its account.
WITH

newest AS (
    SELECT
        account,
        argMax(by, (ts_init, ts_event)) AS last_by,
        argMax(state, (ts_init, ts_event)) AS last_state
    FROM risk_state
    WHERE
        run_id IN (
            SELECT run_id FROM session
            WHERE session_id IN (SELECT session_id FROM running_mode)
        ) AND mode IN (SELECT mode FROM running_mode)
    GROUP BY account
)

SELECT
    concat(account, ': ', last_by) AS subject,
    toFloat64(last_state != 'active') AS value
FROM newest
WHERE last_by LIKE 'breaker %' OR last_by = 'balance'
ORDER BY subject
