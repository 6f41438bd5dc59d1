select
    source,
    symbol,
    ts_event,
    seq,
    bid,
    ask,
    last,
    volume,
    flags,
    quality,
    ts_recv,
    time_msc
from {{ source('market', 'tick') }} final
