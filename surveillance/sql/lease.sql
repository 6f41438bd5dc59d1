-- Accounts whose lease changed hands in the last hour: who lost it is halted until a person resumes, who took it
-- over says so while it beats.
WITH

lost AS (
    SELECT account
    FROM risk_state
    WHERE
        run_id IN (
            SELECT run_id FROM session
            WHERE session_id IN (SELECT session_id FROM running_mode)
        ) AND mode IN (SELECT mode FROM running_mode)
        AND ts_init >= now() - INTERVAL 1 HOUR
    GROUP BY account
    HAVING countIf(by = 'lease' AND state = 'halted') > 0 AND argMax(state, (ts_init, ts_event)) != 'active'
),

taken AS (
    SELECT m.account AS account
    FROM process_state AS p FINAL
    CROSS JOIN running_mode AS m
    WHERE
        p.run_id IN (
            SELECT run_id FROM session
            WHERE session_id IN (SELECT session_id FROM running_mode)
        ) AND p.process = 'execution' AND p.detail LIKE '%took the account over%'
        AND fromUnixTimestamp64Micro(toInt64(p.incarnation)) >= now() - INTERVAL 1 HOUR
)

SELECT
    account AS subject,
    toFloat64(count()) AS value
FROM (
    SELECT account FROM lost
    UNION ALL
    SELECT account FROM taken
) AS changed
GROUP BY account
ORDER BY subject
