-- Each day's look by each scenario: with which parameters, at how many events, what it raised; and how its alerts of the
-- year before were decided.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="scenario", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

scans as (
    select *
    from {{ source("compliance", "abuse_scan") }}
    where {{ in_mode(account="") }} and {{ report_days("report_date") }}
    order by ts_init desc
    limit 1 by report_date, scenario, version
),

closed as (
    select
        scenario as closed_scenario,
        report_date as closed_date,
        outcome as closed_outcome
    from {{ ref("rpt_abuse_alert") }}
    where status = 'closed'
),

decided as (
    select
        scans.report_date as decided_date,
        scans.scenario as decided_scenario,
        scans.version as decided_version,
        countIf(closed.closed_date > scans.report_date - 365 and closed.closed_date <= scans.report_date) as closed_year,
        countIf(
            closed.closed_date > scans.report_date - 365 and closed.closed_date <= scans.report_date
            and closed.closed_outcome = 'false_positive'
        ) as false_year
    from scans
    inner join closed on scans.scenario = closed.closed_scenario
    group by scans.report_date, scans.scenario, scans.version
)

select
    cast(scans.report_date as Date) as report_date,
    cast(scans.scenario as String) as scenario,
    cast(scans.version as String) as scenario_version,
    cast(scans.title as String) as title,
    cast(scans.says as String) as says,
    cast(scans.basis as String) as basis,
    cast(scans.parameters as String) as parameters,
    cast(scans.review as Date) as review,
    cast(scans.events as UInt64) as events,
    cast(scans.alerts as UInt64) as alerts,
    cast(coalesce(decided.closed_year, 0) as UInt64) as closed_year,
    cast(coalesce(decided.false_year, 0) as UInt64) as false_year
from scans
left join decided
    on scans.report_date = decided.decided_date and scans.scenario = decided.decided_scenario and scans.version = decided.decided_version
