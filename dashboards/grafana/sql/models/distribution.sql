SELECT
    toString(round(p_up * 20) / 20) AS probability_of_up,
    count() AS predictions
FROM prediction
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND source = '${source}' AND symbol = '${symbol}'
    AND $__timeFilter(ts_event) AND $__conditionalAll(model IN (${model:singlequote}), $model)
GROUP BY probability_of_up
ORDER BY probability_of_up
