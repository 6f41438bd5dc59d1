-- Realised profit by the trading day of the fill that realised it, after all costs.
{{ config(order_by="(run_id, source, symbol, trading_day)", tags=["intraday"]) }}

with

money as (
    select
        run_id,
        mode,
        account,
        strategy,
        source,
        symbol,
        trading_day,
        venue_position,
        toBool(opens) as opens,
        1 as fill_count,
        volume,
        profit,
        commission,
        swap
    from {{ ref("int_fill") }}
    where {{ in_mode() }}
    union all
    select
        run_id,
        mode,
        account,
        strategy,
        source,
        symbol,
        trading_day,
        venue_position,
        true as opens,
        0 as fill_count,
        0. as volume,
        profit,
        0. as commission,
        0. as swap
    from {{ ref("int_residue") }}
    where {{ in_mode() }}
),

days as (
    select
        run_id,
        mode,
        account,
        strategy,
        source,
        symbol,
        trading_day,
        {{ stable("sum(profit)") }} as gross,
        {{ stable("sum(commission)") }} as commissions,
        {{ stable("sum(swap)") }} as swaps,
        {{ stable("sum(volume)") }} as lots,
        sum(fill_count) as fill_sum,
        uniqExactIf(venue_position, not opens) as positions_reduced
    from money
    group by run_id, mode, account, strategy, source, symbol, trading_day
)

select
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast(source as String) as source,
    cast(symbol as String) as symbol,
    cast(trading_day as Date) as trading_day,
    cast(fill_sum as UInt64) as fills,
    cast(positions_reduced as UInt64) as positions_reduced,
    cast(lots as Float64) as volume,
    cast(gross as Float64) as profit_gross,
    cast(commissions as Float64) as commission,
    cast(swaps as Float64) as swap,
    cast(gross + commissions + swaps as Float64) as profit_net,
    cast(round(sum(gross + commissions + swaps) over (
        partition by run_id, account, strategy, source, symbol
        order by trading_day asc rows between unbounded preceding and current row
    ), 9) as Float64) as profit_net_running
from days
