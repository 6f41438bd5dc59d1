-- Alerts of market-abuse surveillance with how far people are with each: all days, for a case is decided later.
{{ config(materialized="table", order_by="(report_date, scenario, alert_id)", tags=["compliance"]) }}

select
    cast(report_date as Date) as report_date,
    cast(alert_id as String) as alert_id,
    cast(scenario as String) as scenario,
    cast(version as String) as scenario_version,
    cast(source as String) as source,
    cast(symbol as String) as symbol,
    cast(arrayStringConcat(accounts, ' ') as String) as accounts,
    cast(arrayStringConcat(strategies, ' ') as String) as strategies,
    cast(ts_from as DateTime64(6, 'UTC')) as ts_from,
    cast(ts_to as DateTime64(6, 'UTC')) as ts_to,
    cast(score as Float64) as score,
    cast(detail as String) as detail,
    cast(order_ids[1] as String) as order_id,
    cast(arrayStringConcat(order_ids, ' ') as String) as orders,
    cast(ts_init as DateTime64(6, 'UTC')) as ts_raised,
    cast(due as Date) as due,
    cast(status as String) as status,
    cast(analyst as String) as analyst,
    cast(outcome as String) as outcome,
    cast(reason as String) as reason,
    cast(reference as String) as reference
from {{ source("compliance", "abuse_case") }} as cases
where {{ in_mode(account="") }}{% if var("firm", "") %} and hasAny(cases.accounts, [{{ firm_accounts() }}]){% endif %}
