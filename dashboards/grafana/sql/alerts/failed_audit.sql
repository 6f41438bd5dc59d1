-- Breaks that the newest verification of the audit trail found.
SELECT argMax(rows_failed, ts_init) AS breaks
FROM check_result
WHERE suite = 'audit' AND check_id = 'audit.trail'
HAVING count() > 0
