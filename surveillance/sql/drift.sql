-- Columns of a model's newest comparison whose distribution left that of its training, per model. A comparison of few rows
-- or of a short time, as in a young home, says nothing.
WITH

newest AS (
    SELECT
        run_id,
        model,
        max(ts_end) AS compared_to
    FROM model_drift
    WHERE
        run_id IN (
            SELECT run_id FROM session
            WHERE session_id IN (SELECT session_id FROM running_mode)
        ) AND ts_end >= now() - INTERVAL 2 DAY
    GROUP BY run_id, model
)

SELECT
    model AS subject,
    toFloat64(countIf(psi > 0.25 AND compared >= 1000 AND ts_end - ts_start >= 3600)) AS value
FROM model_drift FINAL
WHERE (run_id, model, ts_end) IN (SELECT * FROM newest)
GROUP BY model
ORDER BY subject
