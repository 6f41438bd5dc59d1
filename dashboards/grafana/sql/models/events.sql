SELECT
    ts_event AS time,
    kind,
    left(model, 8) AS model_short,
    member,
    detail
FROM model_event FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event)
    AND $__conditionalAll(model IN (${model:singlequote}), $model)
ORDER BY time DESC
LIMIT 100
