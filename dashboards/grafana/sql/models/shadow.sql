WITH

challenger AS (
    SELECT *
    FROM shadow_prediction
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        ) AND source = '${source}' AND symbol = '${symbol}' AND $__timeFilter(ts_event)
        AND ($__interval_s < 60 OR toSecond(ts_event) = 0)
),

champion AS (
    SELECT *
    FROM prediction
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        ) AND source = '${source}' AND symbol = '${symbol}' AND $__timeFilter(ts_event)
        AND ts_event >= (SELECT min(ts_event) FROM challenger)
        AND ($__interval_s < 60 OR toSecond(ts_event) = 0)
)

SELECT
    $__timeInterval(s.ts_event) AS time,
    avg(abs(c.p_up - s.p_up) + abs(c.p_down - s.p_down)) AS distance,
    avg((c.p_up > c.p_down) = (s.p_up > s.p_down)) AS same_side
FROM champion AS c
INNER JOIN challenger AS s
    ON
        c.run_id = s.run_id AND c.source = s.source AND c.symbol = s.symbol
        AND c.ts_event = s.ts_event AND c.seq = s.seq
GROUP BY time
ORDER BY time
