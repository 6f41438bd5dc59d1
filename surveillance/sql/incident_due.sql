-- Incidents whose time limit has passed: nobody classified them, or a notification or report was not filed.
SELECT
    concat(incident_id, ' ', due_step) AS subject,
    dateDiff('second', ts_due, now64(6, 'UTC')) / 3600 AS value
FROM incident
WHERE mode IN (SELECT mode FROM running_mode) AND due_step != '' AND ts_due < now64(6, 'UTC')
ORDER BY subject
