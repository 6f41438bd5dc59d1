SELECT count() AS unknown
FROM (
    SELECT argMaxIf(kind, seq, kind != 'cancelling') AS last_kind
    FROM order_event
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        )
    GROUP BY run_id, order_id
) AS each_one
WHERE last_kind = 'unknown'
