-- Profit by day and profit by trade are two sums over the same fills: they agree per run and symbol.
with

by_day as (
    select
        run_id,
        source,
        symbol,
        sum(profit_net) as day_profit
    from {{ ref("fct_pnl_daily") }}
    group by run_id, source, symbol
),

by_trade as (
    select
        run_id,
        source,
        symbol,
        sum(profit_net) as trade_profit
    from {{ ref("fct_trade") }}
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
