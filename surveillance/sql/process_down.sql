-- Seconds since the last heartbeat, per process that the running session consists of; what never spoke counts
-- from the session's start. What said that it was stopping, in a session that runs on, is missed as well.
WITH

expected AS (
    SELECT p.name AS process FROM session_part AS p FINAL
    WHERE
        p.kind = 'process' AND p.session_id IN (
            SELECT session_id FROM running_mode
            WHERE status = 'running'
        )
),

begun AS (
    SELECT max(ts_start) AS ts_begun FROM session
    WHERE session_id IN (SELECT session_id FROM running_mode)
),

heard AS (
    SELECT
        process,
        max(ts_event) AS ts_heard
    FROM process_state
    WHERE
        run_id IN (
            SELECT run_id FROM session
            WHERE session_id IN (SELECT session_id FROM running_mode)
        ) AND process IN (SELECT process FROM expected)
    GROUP BY process
)

SELECT
    e.process AS subject,
    toFloat64(dateDiff('second', greatest(h.ts_heard, b.ts_begun), now())) AS value
FROM expected AS e
CROSS JOIN begun AS b
LEFT JOIN heard AS h ON e.process = h.process
ORDER BY subject
