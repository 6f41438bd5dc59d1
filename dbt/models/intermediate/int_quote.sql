-- The quote that stands after each microsecond: the last of several ticks, so that an ASOF join
-- finds one, and always the same.
select
    source as quote_source,
    symbol as quote_symbol,
    ts_event as ts_quote,
    toFloat64(argMax(bid, seq)) as quote_bid,
    toFloat64(argMax(ask, seq)) as quote_ask
from {{ ref("stg_market__tick") }}
group by source, symbol, ts_event
