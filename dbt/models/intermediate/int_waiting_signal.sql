-- What was asked of orders that wait for their price: to be placed, changed, or taken back.
select
    run_id as waiting_run,
    signal_id as waiting_signal,
    if(action = 'place', entry, action) as waiting_type,
    entry as waiting_entry,
    name as waiting_name,
    expiry as waiting_expiry,
    ts_expires as ts_waiting_expires
from {{ ref("stg_decision__signal") }}
where action != ''
