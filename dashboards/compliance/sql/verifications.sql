-- How the last verifications of the audit trail ended.
SELECT
    toUnixTimestamp64Micro(ts_init) AS at_us,
    status,
    rows_checked AS events,
    rows_failed AS breaks,
    detail
FROM check_result FINAL
WHERE suite = 'audit' AND check_id = 'audit.trail'
ORDER BY ts_event DESC
LIMIT 20
