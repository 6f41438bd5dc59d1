WITH

newest AS (
    SELECT
        run_id,
        model,
        max(ts_end) AS compared_to
    FROM model_drift
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        ) AND $__timeFilter(ts_end)
        AND $__conditionalAll(model IN (${model:singlequote}), $model)
    GROUP BY run_id, model
)

SELECT
    name,
    psi,
    ks,
    missing,
    missing_then,
    compared,
    left(model, 8) AS model_short,
    ts_end AS compared_to
FROM model_drift FINAL
WHERE
    (run_id, model, ts_end) IN (SELECT * FROM newest)
ORDER BY greatest(psi, abs(missing - missing_then)) DESC, name ASC
LIMIT 100
