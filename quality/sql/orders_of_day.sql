-- Orders of a run with an event on the day. What the venue alone did (kind closed) is no order of ours.
SELECT
    order_id,
    count() AS events,
    sumIf(volume, kind IN ('partially_filled', 'filled')) AS filled,
    maxIf(volume, kind = 'submitted') AS submitted,
    any(signal_id) IN (
        SELECT signal_id
        FROM signal
        WHERE run_id = {run:String}
    ) AS has_signal,
    any(signal_id) = '' AND countIf(purpose IN ('entry', 'horizon', 'opposite')) = 0 AS by_others
FROM order_event FINAL
WHERE run_id = {run:String} AND kind != 'closed'
GROUP BY order_id
HAVING max(ts_event) >= {start:DateTime64(6)} AND min(ts_event) < {end:DateTime64(6)}
ORDER BY order_id
