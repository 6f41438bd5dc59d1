{{ config(order_by="(run_id, account, strategy, scenario, ts_event)") }}

select
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast({{ trading_day("ts_event") }} as Date) as trading_day,
    cast(ts_event as DateTime64(6, 'UTC')) as ts_event,
    cast(scenario as String) as scenario,
    cast(version as String) as version,
    cast({{ stable("profit") }} as Float64) as profit,
    cast({{ stable("share") }} as Float64) as share,
    cast(if(isFinite(factor), factor, null) as Nullable(Float64)) as factor,
    cast(target as Float64) as target,
    cast(worst_symbol as String) as worst_symbol,
    cast(untouched as String) as untouched
from {{ ref("stg_risk__stress_result") }}
where {{ in_mode() }}
order by ts_init desc
limit 1 by run_id, account, strategy, scenario, ts_event
