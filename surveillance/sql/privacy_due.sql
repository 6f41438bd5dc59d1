-- Requests of people about their data that are open after their day.
SELECT
    case_id AS subject,
    toFloat64(toDate(now('UTC')) - due) AS value
FROM privacy_case
WHERE is_late
ORDER BY subject
