-- A run's denied orders by reason.
SELECT
    reason,
    count() AS orders
FROM order_event FINAL
WHERE run_id = {run_id:String} AND kind = 'denied'
GROUP BY reason
ORDER BY orders DESC, reason ASC
