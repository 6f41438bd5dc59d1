SELECT
    $__timeInterval(ts_event) AS time,
    left(model, 8) AS model_short,
    count() / $__interval_s AS predictions
FROM prediction
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND source = '${source}' AND $__timeFilter(ts_event)
    AND $__conditionalAll(model IN (${model:singlequote}), $model)
GROUP BY time, model
ORDER BY time
