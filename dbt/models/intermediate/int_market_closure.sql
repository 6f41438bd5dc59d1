-- Silences of a feed that count as a closed market. Found between the minutes that have ticks, which are
-- far fewer than ticks; so `gap_s` must be 60 or more.
with

minutes as (
    select
        source,
        symbol,
        toStartOfMinute(ts_event) as quote_minute,
        min(ts_event) as ts_first,
        max(ts_event) as ts_last
    from {{ ref("stg_market__tick") }}
    group by source, symbol, quote_minute
),

silences as (
    select
        source as closure_source,
        symbol as closure_symbol,
        lagInFrame(ts_last, 1, toDateTime64(0, 6, 'UTC')) over (
            partition by source, symbol
            order by quote_minute asc rows between unbounded preceding and unbounded following
        ) as ts_closed,
        ts_first as ts_reopened
    from minutes
)

select *
from silences
where not {{ missing("ts_closed") }} and ts_reopened > addSeconds(ts_closed, {{ var("gap_s") }})
