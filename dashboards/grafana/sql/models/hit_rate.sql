SELECT
    toDateTime(trading_day) AS time,
    concat(symbol, ' ', left(model, 6)) AS series,
    sum(accuracy * labelled) / nullIf(sum(labelled), 0) AS mean_accuracy,
    sum(moves_right * moves_said) / nullIf(sum(moves_said), 0) AS hit_rate
FROM ${marts}.fct_model_performance
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND source = '${source}'
    AND trading_day >= toDate($__fromTime) AND trading_day <= toDate($__toTime) + 1
    AND $__conditionalAll(model IN (${model:singlequote}), $model)
GROUP BY time, series
ORDER BY time
