SELECT
    ts_end AS time,
    left(model, 6) AS series,
    max(psi) AS furthest,
    countIf(psi > 0.25) AS columns_drifted
FROM model_drift FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_end)
    AND $__conditionalAll(model IN (${model:singlequote}), $model)
GROUP BY time, series
ORDER BY time, series
