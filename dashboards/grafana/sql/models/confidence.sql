SELECT
    time,
    concat(symbol, ' ', left(model, 6)) AS series,
    confidence
FROM (
    SELECT
        $__timeInterval(ts_event) AS time,
        symbol,
        model,
        avg(p.confidence) AS confidence
    FROM prediction AS p
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        ) AND source = '${source}' AND $__timeFilter(ts_event)
        AND $__conditionalAll(model IN (${model:singlequote}), $model)
        AND ($__interval_s < 60 OR toSecond(ts_event) = 0)
    GROUP BY time, symbol, model
) AS by_model
ORDER BY time
