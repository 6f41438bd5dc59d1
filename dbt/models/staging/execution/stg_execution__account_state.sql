select
    run_id,
    mode,
    account,
    ts_event,
    ts_init,
    seq,
    currency,
    balance,
    equity,
    margin
from {{ source('execution', 'account_state') }} final
