-- Breaks that the newest verification of the audit trail found.
SELECT
    check_id AS subject,
    toFloat64(argMax(rows_failed, ts_init)) AS value
FROM check_result
WHERE suite = 'audit' AND check_id = 'audit.trail'
GROUP BY check_id
