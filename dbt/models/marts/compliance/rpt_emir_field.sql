-- Every field of the three tables over the day's reports: how often it is filled, not wanted and why, or missing and what to supply.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="(table_number, field, status, reason)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

fields as (
    select
        report_date,
        record_id,
        order_id,
        arrayJoin([{{ emir_field_tuples(emir_fields()) }}]) as one
    from {{ ref("rpt_emir_report") }}
    where reportable and {{ report_days("report_date") }}
    union all
    select
        report_date,
        record_id,
        order_id,
        arrayJoin([{{ emir_field_tuples(emir_margin_fields()) }}]) as one
    from {{ ref("rpt_emir_margin") }}
    where {{ report_days("report_date") }}
),

judged as (
    select
        report_date,
        record_id,
        order_id,
        tupleElement(one, 1) as table_number,
        tupleElement(one, 2) as field,
        tupleElement(one, 3) as field_name,
        multiIf(tupleElement(one, 4) != '', 'filled', tupleElement(one, 5) != '', 'not applicable', 'missing') as status,
        multiIf(tupleElement(one, 4) != '', '', tupleElement(one, 5) != '', tupleElement(one, 5), tupleElement(one, 6)) as reason
    from fields
)

select
    cast(report_date as Date) as report_date,
    cast(table_number as UInt8) as table_number,
    cast(field as UInt8) as field,
    cast(field_name as String) as field_name,
    cast(status as String) as status,
    cast(reason as String) as reason,
    cast(count() as UInt64) as reports,
    cast(argMin(order_id, record_id) as String) as order_id
from judged
group by report_date, table_number, field, field_name, status, reason
