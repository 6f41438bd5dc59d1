-- Per day, feed and purpose: what filled, how fast, and how far from the mid at which it was sent. Speed and slippage
-- are those of orders at the market: one that waits for its price is filled when that comes.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="trading_day",
    on_schema_change="fail", order_by="(run_id, source, symbol, purpose)",
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

sent as (
    select
        *,
        {{ trading_day("ts_submitted") }} as trading_day
    from {{ ref("int_order_lifecycle") }}
    where {{ in_mode() }} and not {{ missing("ts_submitted") }} and {{ days_to_build() }}
),

arrivals as (
    select
        sent.*,
        quotes.ts_quote as ts_quote,
        quotes.quote_ask - quotes.quote_bid as spread,
        (quotes.quote_bid + quotes.quote_ask) / 2 as mid
    from sent
    asof left join {{ ref("int_quote") }} as quotes
        on
            sent.order_source = quotes.quote_source and sent.order_symbol = quotes.quote_symbol
            and sent.ts_submitted >= quotes.ts_quote
),

orders as (
    select
        *,
        volume_filled > 0 as is_filled,
        volume_filled > 0 and order_type = 'market' as is_timed,
        volume_filled > 0 and order_type = 'market' and not {{ missing("ts_quote") }} as is_measured,
        if(order_side = 'buy', 1, -1) * (volume_price / nullIf(volume_filled, 0) - mid) / nullIf(mid, 0) * 1e4 as slip_bp,
        dateDiff('microsecond', ts_submitted, ts_filled) / 1000 as wait_ms
    from arrivals
)

select
    cast(o.run_id as String) as run_id,
    cast(o.mode as String) as mode,
    cast(o.account as String) as account,
    cast(o.strategy as String) as strategy,
    cast(o.order_source as String) as source,
    cast(o.order_symbol as String) as symbol,
    cast(o.order_purpose as String) as purpose,
    cast(o.trading_day as Date) as trading_day,
    cast(count() as UInt64) as orders,
    cast(countIf(o.is_filled) as UInt64) as filled,
    cast(countIf(o.status = 'rejected') as UInt64) as rejected,
    cast(countIf(o.is_filled) / count() as Float64) as fill_ratio,
    cast({{ stable("avgOrNullIf(o.slip_bp, o.is_measured)") }} as Nullable(Float64)) as slippage_mean_bp,
    cast(quantileExactOrNullIf(0.5)(o.slip_bp, o.is_measured) as Nullable(Float64)) as slippage_p50_bp, -- noqa: LT01
    cast(quantileExactOrNullIf(0.99)(o.slip_bp, o.is_measured) as Nullable(Float64)) as slippage_p99_bp, -- noqa: LT01
    cast({{ stable("avgOrNullIf(o.spread / o.mid * 1e4, o.is_measured)") }} as Nullable(Float64)) as spread_mean_bp,
    cast(quantileExactOrNullIf(0.5)(o.wait_ms, o.is_timed) as Nullable(Float64)) as fill_ms_p50, -- noqa: LT01
    cast(quantileExactOrNullIf(0.99)(o.wait_ms, o.is_timed) as Nullable(Float64)) as fill_ms_p99, -- noqa: LT01
    cast(max(abs(o.mid - o.arrival_mid_journalled)) as Nullable(Float64)) as mid_difference_max,
    cast(any(state.day_rows) as UInt64) as day_rows
from orders as o
inner join {{ ref("int_day_state") }} as state on o.trading_day = state.state_day
group by
    o.run_id, o.mode, o.account, o.strategy, o.order_source, o.order_symbol, o.order_purpose, o.trading_day
