select
    run_id,
    mode,
    account,
    strategy,
    source,
    symbol,
    ts_event,
    ts_init,
    seq,
    volume,
    price,
    stop_price,
    profit_realised
from {{ source('execution', 'position') }} final
