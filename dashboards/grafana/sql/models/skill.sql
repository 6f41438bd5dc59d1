SELECT
    ts_end AS time,
    concat(role, ' ', left(model, 6)) AS series,
    1 - brier / nullIf(brier_shares, 0) AS skill
FROM model_quality FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_end) AND member = ''
    AND $__conditionalAll(model IN (${model:singlequote}), $model)
ORDER BY time, series
