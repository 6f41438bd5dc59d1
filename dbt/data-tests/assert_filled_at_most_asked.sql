-- No order fills more than it asked for, and only submitted orders fill.
select
    run_id,
    order_id,
    volume_asked,
    volume_filled,
    ts_submitted
from {{ ref("fct_order") }}
where volume_filled > volume_asked + 1e-9 or (volume_filled > 0 and ts_submitted is null)
