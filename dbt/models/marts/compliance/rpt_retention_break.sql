-- Where retention's policies and what is there part, as the last census of the day found.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="(rule_id, subject, value)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

last_census as (
    select
        report_date as census_date,
        max(ts_counted) as ts_last
    from {{ ref("rpt_retention") }}
    group by census_date
)

select
    cast(breaks.report_date as Date) as report_date,
    cast(breaks.subject as String) as subject,
    cast(breaks.rule_id as String) as rule_id,
    cast(breaks.severity as String) as severity,
    cast(breaks.field as String) as field,
    cast(breaks.value as String) as value
from {{ source("compliance", "retention_break") }} as breaks
inner join last_census on breaks.report_date = last_census.census_date and breaks.ts_init = last_census.ts_last
where {{ report_days("breaks.report_date") }}
