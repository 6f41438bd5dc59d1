-- Seconds that the newest prediction of a feed lies behind its newest tick, where the session predicted before.
WITH

ticks AS (
    SELECT
        source,
        symbol,
        max(ts_event) AS ts_newest
    FROM tick
    WHERE ts_event >= now() - INTERVAL 1 HOUR AND ts_event <= now() + INTERVAL 1 DAY
    GROUP BY source, symbol
),

predictions AS (
    SELECT
        source,
        symbol,
        max(ts_event) AS ts_newest
    FROM prediction
    WHERE
        run_id IN (
            SELECT run_id FROM session
            WHERE session_id IN (SELECT session_id FROM running_mode)
        ) AND session_id IN (SELECT session_id FROM running_mode)
    GROUP BY source, symbol
)

SELECT
    concat(p.source, '/', p.symbol) AS subject,
    toFloat64(greatest(dateDiff('second', p.ts_newest, t.ts_newest), 0)) AS value
FROM predictions AS p
INNER JOIN ticks AS t ON p.source = t.source AND p.symbol = t.symbol
ORDER BY subject
