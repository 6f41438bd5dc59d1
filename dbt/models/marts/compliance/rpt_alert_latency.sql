-- RTS 6 article 16: how long an alert took; five seconds are allowed.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(account, ts_event, alert_id)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

raised as (
    select *
    from {{ source("compliance", "control_alert") }}
    where {{ in_mode() }}
    -- Of an alert that was stored twice the first: that is when people knew.
    order by mode asc, account asc, alert_id asc, ts_raised asc
    limit 1 by mode, account, alert_id
)

select
    cast(toDate(ts_event, 'UTC') as Date) as report_date,
    cast(alert_id as String) as alert_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(control as String) as control,
    cast(subject as String) as subject,
    cast(detail as String) as detail,
    cast(ts_event as DateTime64(6, 'UTC')) as ts_event,
    cast(ts_raised as DateTime64(6, 'UTC')) as ts_raised,
    cast(dateDiff('microsecond', ts_event, ts_raised) / 1000 as Float64) as latency_ms,
    cast(dateDiff('microsecond', ts_event, ts_raised) <= 5000000 as Bool) as in_time,
    cast(channel as String) as channel,
    cast(if(startsWith(alert_id, concat(subject, '.')), subject, '') as String) as order_id
from raised
where {{ report_days("report_date") }}
