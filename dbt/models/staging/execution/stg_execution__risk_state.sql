select
    run_id,
    mode,
    account,
    ts_event,
    ts_init,
    state,
    `by` as set_by,
    reason
from {{ source('execution', 'risk_state') }} final
