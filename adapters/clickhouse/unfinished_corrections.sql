-- Corrections whose last step, the row that says that bars are made again, is missing.
SELECT
    c.correction_id AS correction_id,
    c.source AS source,
    c.symbol AS symbol,
    toUnixTimestamp64Micro(c.ts_first) AS first_us,
    toUnixTimestamp64Micro(c.ts_last) AS last_us,
    c.origin AS origin,
    c.author AS author,
    c.reason AS reason
FROM correction AS c FINAL
WHERE
    c.corrected + c.withdrawn > 0
    AND c.correction_id NOT IN (
        SELECT r.correction_id
        FROM restatement AS r FINAL
        WHERE r.what = 'bar' AND r.status = 'done'
    )
ORDER BY c.ts_known, c.correction_id
