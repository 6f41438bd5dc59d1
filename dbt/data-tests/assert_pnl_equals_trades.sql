-- Profit by day and profit by trade are two sums over the same fills: they agree per run and symbol, over the days
-- that are over, for fills of the running one come in between the two. Of a position that was filled on the running
-- day the trade counts with what it had brought before. What strategies that share a position leave on the name
-- `netting` is of no trade.
with

money as (
    select
        run_id,
        account,
        source,
        symbol,
        venue_position,
        trading_day,
        profit + commission + swap as earned
    from {{ ref("int_fill") }}
    where {{ in_mode() }}
    union all
    select
        run_id,
        account,
        source,
        symbol,
        venue_position,
        trading_day,
        profit as earned
    from {{ ref("int_residue") }}
    where {{ in_mode() }} and strategy != 'netting'
),

fills as (
    select
        *,
        max(trading_day) over (partition by run_id, account, venue_position) as last_day,
        {{ trading_day("now64(6, 'UTC')") }} as today
    from money
),

by_day as (
    select
        run_id,
        source,
        symbol,
        sum(profit_net) as day_profit
    from {{ ref("fct_pnl_daily") }}
    where trading_day < {{ trading_day("now64(6, 'UTC')") }} and strategy != 'netting'
    group by run_id, source, symbol
),

trades as (
    select
        run_id,
        source,
        symbol,
        profit_net
    from {{ ref("fct_trade") }}
    where (run_id, account, venue_position) not in (
        select
            run_id,
            account,
            venue_position
        from fills
        where last_day >= today
    )
    union all
    select
        run_id,
        source,
        symbol,
        earned as profit_net
    from fills
    where last_day >= today and trading_day < today
),

by_trade as (
    select
        run_id,
        source,
        symbol,
        sum(profit_net) as trade_profit
    from trades
    group by run_id, source, symbol
)

select
    by_day.run_id,
    by_day.source,
    by_day.symbol,
    by_day.day_profit,
    by_trade.trade_profit
from by_day
full outer join by_trade
    on by_day.run_id = by_trade.run_id and by_day.source = by_trade.source and by_day.symbol = by_trade.symbol
where abs(coalesce(by_day.day_profit, 0) - coalesce(by_trade.trade_profit, 0)) > 0.005
