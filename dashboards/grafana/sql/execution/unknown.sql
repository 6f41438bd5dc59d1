WITH

doubtful AS (
    SELECT order_id
    FROM order_event
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        ) AND kind = 'unknown'
),

each_one AS (
    SELECT argMaxIf(e.kind, e.seq, e.kind NOT IN ('cancelling', 'modifying', 'modified', 'unmodified')) AS last_kind
    FROM order_event AS e
    WHERE
        e.run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        ) AND e.order_id IN (SELECT order_id FROM doubtful)
    GROUP BY e.run_id, e.order_id
)

SELECT count() AS unknown
FROM each_one
WHERE last_kind = 'unknown'
