-- Where the ticks of a feed end: what lies beyond is not known yet.
select
    source as feed_source,
    symbol as feed_symbol,
    max(ts_event) as ts_end
from {{ ref("stg_market__tick") }}
group by source, symbol
