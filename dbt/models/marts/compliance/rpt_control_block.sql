-- RTS 6 article 15: orders that a control of ours blocked.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(account, ts_blocked, order_id)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

select
    cast(toDate(ts_event, 'UTC') as Date) as report_date,
    cast(ts_event as DateTime64(6, 'UTC')) as ts_blocked,
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast(order_id as String) as order_id,
    cast(signal_id as String) as signal_id,
    cast(source as String) as source,
    cast(symbol as String) as symbol,
    cast(side as String) as side,
    cast(purpose as String) as purpose,
    cast(volume as Float64) as volume,
    cast(price as Float64) as price,
    cast(reason as String) as control,
    cast(limit_value as Float64) as limit_value,
    cast(observed as Float64) as observed,
    cast(limits_version as String) as limits_version,
    cast('blocked' as String) as action,
    cast(if(position(limits_version, ' by ') > 0, splitByString(' by ', limits_version)[-1], '') as String) as approver,
    cast(seq as UInt64) as journal_seq
from {{ ref("stg_execution__order_event") }}
where {{ in_mode() }} and kind = 'denied' and {{ report_days("report_date") }}
