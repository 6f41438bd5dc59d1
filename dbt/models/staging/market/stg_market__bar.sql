select
    source,
    symbol,
    `interval` as bar_interval,
    ts_open,
    bid_open,
    bid_high,
    bid_low,
    bid_close,
    ask_close,
    spread_max,
    tick_count
from {{ source('market', 'bar') }}
