-- Columns of a model's newest comparison whose distribution left that of its training.
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
            WHERE mode = 'live'
        ) AND ts_end >= now() - INTERVAL 2 DAY
    GROUP BY run_id, model
),

drifted AS (
    SELECT
        model,
        countIf(psi > 0.25) AS many
    FROM model_drift FINAL
    WHERE (run_id, model, ts_end) IN (SELECT * FROM newest)
    GROUP BY model
)

SELECT max(many) AS columns_drifted
FROM drifted
HAVING count() > 0
