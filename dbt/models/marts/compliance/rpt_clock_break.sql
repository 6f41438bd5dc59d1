-- noqa: disable=LT05
-- R4: where a clock was beyond the limits, or nobody can say whether it was.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(host, source, rule_id)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

summary as (
    select *
    from {{ ref("rpt_clock_sync") }}
    where {{ report_days("report_date") }}
),

of_source as (
    select
        report_date,
        host,
        source,
        arrayJoin(arrayFilter(rule -> tupleElement(rule, 5), [
            tuple('divergence_max_us', 'divergence_limit', 'warning', toString(divergence_max_us), coalesce(divergence_max_us > divergence_limit_us, false)),
            tuple('granularity_max_us', 'granularity_limit', 'warning', toString(granularity_max_us), coalesce(granularity_max_us > granularity_limit_us, false)),
            tuple('unsynchronised', 'not_synchronised', 'warning', concat(toString(unsynchronised), ' of ', toString(samples)), traceable and unsynchronised > 0),
            tuple('longest_gap_minutes', 'measured_too_seldom', 'warning', toString(round(longest_gap_minutes, 1)), traceable and longest_gap_minutes > {{ var("clock_gap_minutes") }}),
            tuple('granularity_max_us', 'impossible_value', 'error', toString(granularity_max_us), granularity_max_us <= 0 or uncertainty_max_us < 0)
        ])) as broken
    from summary
),

hosts as (
    select
        report_date,
        host
    from summary
    group by report_date, host
    having countIf(traceable and unsynchronised < samples) = 0
),

traded as (
    select distinct toDate(ts_event, 'UTC') as report_date
    from {{ ref("stg_execution__order_event") }}
    where {{ in_mode() }} and kind = 'submitted' and {{ report_days("report_date") }}
),

all_rows as (
    select
        report_date,
        host,
        source,
        tupleElement(broken, 1) as field,
        tupleElement(broken, 2) as rule_id,
        tupleElement(broken, 3) as severity,
        tupleElement(broken, 4) as value
    from of_source
    union all
    select
        report_date,
        host,
        '' as source,
        'source' as field,
        'no_traceable_source' as rule_id,
        'warning' as severity,
        'no reference that is synchronised to UTC' as value
    from hosts
    union all
    select
        report_date,
        '' as host,
        '' as source,
        'samples' as field,
        'no_measurement' as rule_id,
        'warning' as severity,
        'orders were sent on this day' as value
    from traded
    where report_date not in (select summary.report_date from summary)
)

select
    cast(report_date as Date) as report_date,
    cast(host as String) as host,
    cast(source as String) as source,
    cast(field as String) as field,
    cast(rule_id as String) as rule_id,
    cast(severity as String) as severity,
    cast(value as String) as value
from all_rows
