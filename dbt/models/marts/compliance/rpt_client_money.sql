-- Client money of each day: what our books say is an account's, beside what its broker states.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="(account, item)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

select
    cast(report_date as Date) as report_date,
    cast(account as String) as account,
    cast(client as String) as client,
    cast(item as String) as item,
    cast(currency as String) as currency,
    cast(ours as Float64) as ours,
    cast(theirs as Float64) as theirs,
    cast(difference as Float64) as difference,
    cast(tolerance as Float64) as tolerance,
    cast(status as String) as status,
    cast(severity as String) as severity,
    cast(owner as String) as owner,
    cast(since as Date) as since,
    cast(age_days as UInt16) as age_days,
    cast(ts_event as DateTime64(6, 'UTC')) as ts_stated,
    cast(ts_init as DateTime64(6, 'UTC')) as ts_compared
from {{ source("compliance", "client_money") }} final
where {{ in_mode() }} and {{ report_days("report_date") }}
