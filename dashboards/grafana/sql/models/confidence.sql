SELECT
    $__timeInterval(ts_event) AS time,
    concat(symbol, ' ', left(model, 6)) AS series,
    avg(confidence) AS confidence
FROM prediction
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND source = '${source}' AND $__timeFilter(ts_event)
    AND $__conditionalAll(model IN (${model:singlequote}), $model)
GROUP BY time, series
ORDER BY time
