-- Where surveillance has a hole: a day with orders that no scenario looked at, events that came after the look, parameters
-- past their review.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="(rule_id, scenario)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

days as (
    select
        toDate(ts_event, 'UTC') as event_date,
        count() as day_events
    from {{ ref("stg_execution__order_event") }}
    where {{ in_mode() }} and {{ report_days("toDate(ts_event, 'UTC')") }}
    group by event_date
),

unseen as (
    select
        event_date as report_date,
        '' as scenario,
        'day_not_scanned' as rule_id,
        'error' as severity,
        concat(toString(day_events), ' events') as value
    from days
    where event_date not in (select scanned.report_date from {{ ref("rpt_abuse_scan") }} as scanned)
),

late as (
    select
        days.event_date as report_date,
        scans.scenario as scenario,
        'events_after_scan' as rule_id,
        'error' as severity,
        concat(toString(days.day_events), ' events, looked at ', toString(scans.events)) as value
    from {{ ref("rpt_abuse_scan") }} as scans
    inner join days on scans.report_date = days.event_date
    where scans.events < days.day_events
),

reviews as (
    select
        report_date,
        scenario,
        'review_overdue' as rule_id,
        'warning' as severity,
        toString(review) as value
    from {{ ref("rpt_abuse_scan") }}
    where {{ report_days("report_date") }} and review < report_date
),

every as (
    select * from unseen
    union all
    select * from late
    union all
    select * from reviews
)

select
    cast(report_date as Date) as report_date,
    cast(scenario as String) as scenario,
    cast(rule_id as String) as rule_id,
    cast(severity as String) as severity,
    cast(value as String) as value
from every
