SELECT
    what,
    last_status AS state,
    count() AS parts,
    min(trading_day) AS first_day,
    max(trading_day) AS last_day,
    max(changed) AS last
FROM (
    SELECT
        what,
        subject,
        trading_day,
        argMax(status, ts_changed) AS last_status,
        max(ts_changed) AS changed
    FROM restatement
    GROUP BY correction_id, what, subject, trading_day, source, symbol
) AS each
WHERE $__timeFilter(changed)
GROUP BY what, last_status
ORDER BY state = 'pending' DESC, what ASC
