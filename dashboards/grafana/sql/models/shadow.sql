SELECT
    $__timeInterval(c.ts_event) AS time,
    avg(abs(c.p_up - s.p_up) + abs(c.p_down - s.p_down)) AS distance,
    avg((c.p_up > c.p_down) = (s.p_up > s.p_down)) AS same_side
FROM shadow_prediction AS s
INNER JOIN prediction AS c
    ON
        s.run_id = c.run_id AND s.source = c.source AND s.symbol = c.symbol
        AND s.ts_event = c.ts_event AND s.seq = c.seq
WHERE
    s.run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND s.source = '${source}' AND s.symbol = '${symbol}' AND $__timeFilter(s.ts_event)
    AND c.run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND c.source = '${source}' AND c.symbol = '${symbol}' AND $__timeFilter(c.ts_event)
GROUP BY time
ORDER BY time
