-- Hours since the newest backup that left the host, where the running session is to have one; before the first,
-- since a session first was to.
SELECT
    'backup' AS subject,
    dateDiff(
        'second',
        greatest(
            (SELECT max(b.ts_event) FROM offsite_backup AS b),
            (
                SELECT min(s.ts_start) FROM session AS s
                WHERE
                    s.session_id IN (
                        SELECT q.session_id FROM session_part AS q
                        WHERE q.kind = 'duty' AND q.name = 'backup'
                    )
            )
        ),
        now64(6)
    ) / 3600 AS value
FROM session_part AS p FINAL
WHERE
    p.kind = 'duty' AND p.name = 'backup' AND p.session_id IN (
        SELECT r.session_id FROM running_mode AS r
        WHERE r.status = 'running'
    )
