{{ config(order_by="(run_id, account, strategy, trading_day)") }}

with

tails as (
    select
        run_id,
        account,
        strategy,
        ts_event,
        maxIf(value_at_risk, measure = 'filtered') as filtered_var,
        maxIf(expected_shortfall, measure = 'filtered') as filtered_shortfall,
        maxIf(value_at_risk, measure = 'parametric') as parametric_var
    from {{ ref("stg_risk__value_at_risk") }}
    where {{ in_mode() }} and horizon = '1d' and confidence = 0.99
    group by run_id, account, strategy, ts_event
),

days as (
    select
        p.run_id as run_id,
        p.mode as mode,
        p.account as account,
        p.strategy as strategy,
        {{ trading_day("p.ts_event") }} as day_held,
        any(p.currency) as money,
        count() as figures,
        countIf({{ missing("t.ts_event") }}) as without,
        max(p.gross) as most_gross,
        max(abs(p.net)) as most_net,
        max(p.correlated) as most_correlated,
        max(p.concentration) as most_concentrated,
        max(t.filtered_var) as most_var,
        max(t.filtered_shortfall) as most_shortfall,
        max(t.parametric_var) as most_parametric,
        max(if(p.equity > 0, t.filtered_var / p.equity, null)) as most_share,
        max(p.margin) as most_margin,
        min(if(p.equity > 0, p.stop_out, null)) as least_room,
        min(if(p.equity > 0 and p.stop_out_days != 0, p.stop_out_days, null)) as least_days
    from {{ ref("stg_risk__portfolio_risk") }} as p
    left join tails as t
        on
            p.run_id = t.run_id
            and p.account = t.account
            and p.strategy = t.strategy
            and p.ts_event = t.ts_event
    where {{ in_mode("p.mode", "p.account") }} and p.positions > 0
    group by run_id, mode, account, strategy, day_held
)

select
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast(day_held as Date) as trading_day,
    cast(money as String) as currency,
    cast(figures as UInt64) as moments,
    cast(without as UInt64) as unmeasured,
    cast({{ stable("most_gross") }} as Float64) as gross_max,
    cast({{ stable("most_net") }} as Float64) as net_max,
    cast({{ stable("most_correlated") }} as Float64) as correlated_max,
    cast({{ stable("most_concentrated") }} as Float64) as concentration_max,
    cast({{ stable("coalesce(most_var, 0)") }} as Float64) as value_at_risk_max,
    cast({{ stable("coalesce(most_shortfall, 0)") }} as Float64) as expected_shortfall_max,
    cast({{ stable("coalesce(most_parametric, 0)") }} as Float64) as parametric_max,
    cast({{ stable("most_share") }} as Nullable(Float64)) as value_at_risk_share_max,
    cast({{ stable("most_margin") }} as Float64) as margin_max,
    cast({{ stable("least_room") }} as Nullable(Float64)) as stop_out_min,
    cast({{ stable("least_days") }} as Nullable(Float64)) as stop_out_days_min
from days
