SELECT
    ts_event AS time,
    concat('trading ', state, ' by ', by, ': ', reason) AS text,
    state AS tags
FROM risk_state FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event) AND state != 'active'
ORDER BY time
