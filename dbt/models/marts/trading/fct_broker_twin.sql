-- Per broker, symbol and hour: what the broker made of our orders beside what its model expected.
{{ config(materialized="table", order_by="(run_id, source, symbol, ts_hour)") }}

with

compared as (
    select
        *,
        toStartOfHour(ts_event) as ts_hour,
        real_volume > 0 as real_fills,
        twin_volume > 0 as twin_fills,
        if(side = 'buy', 1, -1) * (real_price - arrival_mid) / nullIf(arrival_mid, 0) * 1e4 as real_bp,
        if(side = 'buy', 1, -1) * (twin_price - arrival_mid) / nullIf(arrival_mid, 0) * 1e4 as twin_bp
    from {{ ref("stg_execution__twin_comparison") }}
    where {{ in_mode() }}
)

select
    cast(c.run_id as String) as run_id,
    cast(c.mode as String) as mode,
    cast(c.account as String) as account,
    cast(c.source as String) as source,
    cast(c.symbol as String) as symbol,
    cast(c.ts_hour as DateTime('UTC')) as ts_hour,
    cast(count() as UInt64) as orders,
    cast(countIf(c.real_fills) as UInt64) as real_filled,
    cast(countIf(c.twin_fills) as UInt64) as twin_filled,
    cast(countIf(c.real_outcome = 'rejected') as UInt64) as real_rejected,
    cast(countIf(c.twin_outcome = 'rejected') as UInt64) as twin_rejected,
    cast(avgOrNullIf(c.real_bp, c.real_fills) as Nullable(Float64)) as real_slippage_bp,
    cast(avgOrNullIf(c.twin_bp, c.twin_fills) as Nullable(Float64)) as twin_slippage_bp,
    cast(avgOrNullIf(c.real_bp - c.twin_bp, c.real_fills and c.twin_fills) as Nullable(Float64))
        as excess_slippage_bp,
    cast(quantileExactOrNullIf(0.5)(c.real_latency_ms, c.real_fills) as Nullable(Float64)) as real_latency_ms_p50, -- noqa: LT01
    cast(quantileExactOrNullIf(0.5)(c.twin_latency_ms, c.twin_fills) as Nullable(Float64)) as twin_latency_ms_p50, -- noqa: LT01
    cast(maxOrNullIf(c.real_latency_ms, c.real_fills) as Nullable(Float64)) as real_latency_ms_max,
    cast(sum(c.real_commission) as Float64) as real_commission,
    cast(sum(c.twin_commission) as Float64) as twin_commission
from compared as c
group by c.run_id, c.mode, c.account, c.source, c.symbol, c.ts_hour
