-- The profit of all strategies together is the profit of the account's fills, to the cent: of the days that are
-- over, for fills of the running one come in between what is built and what is compared.
with

by_strategy as (
    select
        run_id,
        account,
        trading_day,
        sum(profit_net) as strategies_profit
    from {{ ref("fct_strategy_pnl_daily") }}
    group by run_id, account, trading_day
),

by_fill as (
    select
        run_id,
        account,
        trading_day,
        sum(profit + commission + swap) as fills_profit
    from {{ ref("int_fill") }}
    where {{ in_mode() }}
    group by run_id, account, trading_day
)

select
    by_fill.run_id,
    by_fill.account,
    by_fill.trading_day,
    by_strategy.strategies_profit,
    by_fill.fills_profit
from by_fill
left join by_strategy
    on
        by_fill.run_id = by_strategy.run_id and by_fill.account = by_strategy.account
        and by_fill.trading_day = by_strategy.trading_day
where
    by_fill.trading_day < {{ trading_day("now64(6, 'UTC')") }}
    and abs(coalesce(by_strategy.strategies_profit, 0) - by_fill.fills_profit) > 0.005
