select
    source,
    symbol,
    ts_event,
    seq,
    version,
    kind,
    ts_known,
    correction_id
from {{ source('market', 'tick_version') }} final
