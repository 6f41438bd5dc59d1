-- What became of what was held: each figure of a full hour (horizon 1h) or of a midnight UTC (1d) beside the profit that
-- the same positions made by the end of its horizon. Positions are kept as they were (Basel Framework MAR32.4).
with

held as (
    select
        run_id,
        mode,
        account,
        strategy,
        ts_event,
        source,
        symbol,
        exposure,
        mid,
        span.1 as horizon,
        addSeconds(ts_event, span.2) as ts_until
    from {{ ref("stg_risk__feed_exposure") }}
    array join [('1h', 3600), ('1d', 86400)] as span
    where
        {{ in_mode() }}
        and toUnixTimestamp64Micro(ts_event) % 3600000000 = 0
        and (span.1 = '1h' or toHour(ts_event) = 0)
),

minutes as (
    select
        source,
        symbol,
        addMinutes(ts_open, 1) as ts_end,
        (toFloat64(bid_close) + toFloat64(ask_close)) / 2 as mid
    from {{ ref("stg_market__bar") }}
    where bar_interval = '1m'
),

moved as (
    select
        h.run_id as run_id,
        h.mode as mode,
        h.account as account,
        h.strategy as strategy,
        h.ts_event as ts_event,
        h.horizon as horizon,
        -- Without a minute it is null or 0, as `join_use_nulls` says: not known either way.
        h.exposure * (coalesce(m.mid, 0) / h.mid - 1) as profit,
        coalesce(m.ts_end > h.ts_event, false) as is_known
    from held as h
    asof left join minutes as m
        on h.source = m.source and h.symbol = m.symbol and h.ts_until >= m.ts_end
),

outcomes as (
    select
        run_id,
        mode,
        account,
        strategy,
        ts_event,
        horizon,
        sum(profit) as profit_held
    from moved
    group by run_id, mode, account, strategy, ts_event, horizon
    having min(is_known)
)

select
    o.run_id as run_id,
    o.mode as mode,
    o.account as account,
    o.strategy as strategy,
    o.ts_event as ts_event,
    v.measure as measure,
    v.confidence as confidence,
    o.horizon as horizon,
    v.value_at_risk as value_at_risk,
    if(o.horizon = '1d', p.swap_1d, 0) - o.profit_held as loss
from outcomes as o
inner join {{ ref("stg_risk__value_at_risk") }} as v
    on
        o.run_id = v.run_id
        and o.account = v.account
        and o.strategy = v.strategy
        and o.ts_event = v.ts_event
        and o.horizon = v.horizon
inner join {{ ref("stg_risk__portfolio_risk") }} as p
    on
        o.run_id = p.run_id
        and o.account = p.account
        and o.strategy = p.strategy
        and o.ts_event = p.ts_event
