-- Every field of the day's reportable trades: how often it is filled, not wanted and why, or missing.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="(field, status, reason)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

trades as (
    select *
    from {{ ref("rpt_rts22_transaction") }}
    where reportable and {{ report_days("report_date") }}
),

fields as (
    select
        report_date,
        trade_id,
        order_id,
        arrayJoin([
            {%- for number, name, reason in rts22_fields() %}
                tuple({{ number }}, '{{ name }}', {{ name }}, {{ reason }}){{ "," if not loop.last }}
            {%- endfor %}
        ]) as one
    from trades
),

judged as (
    select
        report_date,
        trade_id,
        order_id,
        tupleElement(one, 1) as field,
        tupleElement(one, 2) as field_name,
        multiIf(tupleElement(one, 3) != '', 'filled', tupleElement(one, 4) != '', 'not applicable', 'missing') as status,
        if(tupleElement(one, 3) != '', '', tupleElement(one, 4)) as reason
    from fields
)

select
    cast(report_date as Date) as report_date,
    cast(field as UInt8) as field,
    cast(field_name as String) as field_name,
    cast(status as String) as status,
    cast(reason as String) as reason,
    cast(count() as UInt64) as trades,
    cast(argMin(order_id, trade_id) as String) as order_id
from judged
group by report_date, field, field_name, status, reason
