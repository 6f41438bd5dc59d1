select
    run_id,
    mode,
    account,
    strategy,
    ts_event,
    ts_init,
    scenario,
    version,
    profit,
    share,
    factor,
    target,
    worst_symbol,
    untouched
from {{ source('risk', 'stress_result') }} final
