-- Spans of one order's trace, in their order.
SELECT
    span,
    trace_id,
    mode,
    account,
    toUnixTimestamp64Micro(ts_start) AS start_us,
    duration_us,
    detail
FROM order_trace(orders = {orders:Array(String)})
