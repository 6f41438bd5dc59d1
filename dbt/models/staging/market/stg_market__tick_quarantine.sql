select
    source,
    symbol,
    origin,
    row,
    time_msc,
    reason,
    raw,
    run_id,
    mode,
    ts_recv
from {{ source('market', 'tick_quarantine') }} final
