SELECT
    order_id,
    trace_id,
    span_id,
    parent_id,
    span,
    toUnixTimestamp64Micro(ts_start) AS start_us,
    toUnixTimestamp64Micro(ts_end) AS end_us,
    detail,
    outcome,
    run_id,
    mode,
    account,
    strategy,
    source,
    symbol
FROM order_trace(orders = {orders:Array(String)})
