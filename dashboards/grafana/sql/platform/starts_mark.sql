SELECT
    ts_start AS time,
    concat('start ', toString(number), ' of ', run_id, ' by ', who, ' on ', host) AS text,
    mode AS tags
FROM session FINAL
WHERE mode = '${mode}' AND $__timeFilter(ts_start)
ORDER BY time
LIMIT 200
