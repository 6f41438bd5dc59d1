-- What the venue did: fills of our orders, and positions the broker closed (stop, stop-out, by hand).
select
    run_id,
    mode,
    account,
    strategy,
    source,
    symbol,
    order_id,
    signal_id,
    seq,
    venue_deal,
    venue_position,
    {{ trading_day("ts_event") }} as trading_day,
    ts_event,
    side,
    purpose,
    volume,
    price,
    commission,
    swap,
    profit,
    purpose = 'entry' and kind != 'closed' as opens
from {{ ref("int_order_event_told") }}
where kind in ('partially_filled', 'filled', 'closed')
