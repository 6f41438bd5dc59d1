-- What each strategy of an account asked for and earned, day by day, over all of its symbols. Days without a fill
-- are there too: a strategy in shadow has orders and no profit. Where strategies share a netting account's positions,
-- each one's profit is by its own average price, and `netting` has the rest of what the broker's deals realised.
{{ config(order_by="(run_id, account, strategy, trading_day)", tags=["intraday"]) }}

with

fills as (
    select
        run_id,
        mode,
        account,
        strategy,
        trading_day,
        0 as asked,
        0 as denied,
        count() as fill_count,
        {{ stable("sum(volume)") }} as lots,
        {{ stable("sum(profit)") }} as gross,
        {{ stable("sum(commission)") }} as commissions,
        {{ stable("sum(swap)") }} as swaps
    from {{ ref("int_fill") }}
    where {{ in_mode() }}
    group by run_id, mode, account, strategy, trading_day
),

residues as (
    select
        run_id,
        mode,
        account,
        strategy,
        trading_day,
        0 as asked,
        0 as denied,
        0 as fill_count,
        0. as lots,
        {{ stable("sum(profit)") }} as gross,
        0. as commissions,
        0. as swaps
    from {{ ref("int_residue") }}
    where {{ in_mode() }}
    group by run_id, mode, account, strategy, trading_day
),

orders as (
    select
        run_id,
        mode,
        account,
        strategy,
        {{ trading_day("ts_first") }} as trading_day,
        count() as asked,
        countIf(status = 'denied') as denied,
        0 as fill_count,
        0. as lots,
        0. as gross,
        0. as commissions,
        0. as swaps
    from {{ ref("int_order_lifecycle") }}
    where {{ in_mode() }} and strategy != ''
    group by run_id, mode, account, strategy, trading_day
),

together as (
    select * from fills
    union all
    select * from residues
    union all
    select * from orders
),

days as (
    select
        run_id,
        mode,
        account,
        strategy,
        trading_day,
        sum(asked) as orders_asked,
        sum(denied) as orders_refused,
        sum(fill_count) as fill_sum,
        sum(lots) as lots_sum,
        round(sum(gross), 2) as gross_sum,
        round(sum(commissions), 2) as commission_sum,
        round(sum(swaps), 2) as swap_sum
    from together
    group by run_id, mode, account, strategy, trading_day
)

select
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast(trading_day as Date) as trading_day,
    cast(orders_asked as UInt64) as orders,
    cast(orders_refused as UInt64) as orders_denied,
    cast(fill_sum as UInt64) as fills,
    cast(lots_sum as Float64) as volume,
    cast(gross_sum as Float64) as profit_gross,
    cast(commission_sum as Float64) as commission,
    cast(swap_sum as Float64) as swap,
    cast(round(gross_sum + commission_sum + swap_sum, 2) as Float64) as profit_net,
    cast(round(sum(gross_sum + commission_sum + swap_sum) over (
        partition by run_id, account, strategy
        order by trading_day asc rows between unbounded preceding and current row
    ), 2) as Float64) as profit_net_running
from days
