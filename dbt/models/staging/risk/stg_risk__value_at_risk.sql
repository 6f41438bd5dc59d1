select
    run_id,
    mode,
    account,
    strategy,
    ts_event,
    measure,
    confidence,
    horizon,
    value_at_risk,
    expected_shortfall
from {{ source('risk', 'value_at_risk') }} final
