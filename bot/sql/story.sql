-- What is known of an order, or of the orders of a signal, in its order.
SELECT
    e.order_id AS order_id,
    e.signal_id AS signal_id,
    e.strategy AS strategy,
    e.kind AS kind,
    e.source AS source,
    e.symbol AS symbol,
    toUnixTimestamp64Micro(e.ts_event) AS ts_event_us,
    e.side AS side,
    e.purpose AS purpose,
    e.volume AS volume,
    e.price AS price,
    e.reason AS reason,
    e.limit AS limit_then,
    e.observed AS observed,
    e.limits_version AS limits_version,
    e.profit + e.commission + e.swap AS profit
FROM order_event AS e FINAL
WHERE
    e.run_id = {run_id:String} AND e.account = {account:String}
    AND (e.order_id = {id:String} OR e.signal_id = {id:String} OR e.event_id = {id:String})
ORDER BY e.seq
LIMIT 30
