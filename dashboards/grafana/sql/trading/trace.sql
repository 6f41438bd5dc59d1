SELECT
    span,
    dateDiff('microsecond', first_value(ts_start) OVER (ORDER BY place ASC), ts_start) / 1000 AS begins_after,
    duration_us / 1000 AS lasted,
    detail,
    ts_start AS since,
    trace_id
FROM order_trace(orders = ['${order}'])
WHERE '${order}' != ''
ORDER BY place
