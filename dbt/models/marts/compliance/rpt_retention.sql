-- What was kept, since when, and what of it was due, held and destroyed, by table and group of files: a day's census.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="subject", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

counted as (
    select *
    from {{ source("compliance", "retention_census") }}
    where {{ report_days("report_date") }}
    order by ts_init desc
    limit 1 by report_date, subject
)

select
    cast(report_date as Date) as report_date,
    cast(subject as String) as subject,
    cast(kind as String) as kind,
    cast(policy as String) as policy,
    cast(title as String) as title,
    cast(basis as String) as basis,
    cast(version as String) as policy_version,
    cast(years as UInt8) as years,
    cast(after_that as String) as after_that,
    cast(ttl_days as UInt32) as ttl_days,
    cast(total as UInt64) as total,
    cast(oldest as Nullable(Date)) as oldest,
    cast(due as UInt64) as due,
    cast(held as UInt64) as held,
    cast(destroyed as UInt64) as destroyed,
    cast(arrayStringConcat(holds, ', ') as String) as holds,
    cast(ts_init as DateTime64(6, 'UTC')) as ts_counted
from counted
