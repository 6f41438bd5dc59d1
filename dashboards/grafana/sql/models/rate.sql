SELECT
    $__timeInterval(ts_event) AS time,
    left(model, 8) AS model_short,
    -- Over long spans the first second of each minute stands for all sixty.
    count() * if($__interval_s < 60, 1, 60) / $__interval_s AS predictions
FROM prediction
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND source = '${source}' AND $__timeFilter(ts_event)
    AND $__conditionalAll(model IN (${model:singlequote}), $model)
    AND ($__interval_s < 60 OR toSecond(ts_event) = 0)
GROUP BY time, model
ORDER BY time
