-- Where the register of incidents is late, on the day the limit passed: not classified within a day of knowing, a
-- notification or report that is due, an initial notification that came later than it had to.
{{ config(materialized="table", order_by="(report_date, rule_id, incident_id)", tags=["compliance"]) }}

with

due as (
    select
        toDate(ts_due, 'UTC') as report_date,
        incident_id,
        if(due_step = 'classification', 'not_classified', 'not_filed') as rule_id,
        due_step as value
    from {{ ref("rpt_incident") }}
    where due_step != '' and ts_due < now64(6, 'UTC')
),

filed_late as (
    select
        toDate(ts_initial, 'UTC') as report_date,
        incident_id,
        'filed_late' as rule_id,
        'initial' as value
    from {{ ref("rpt_incident") }}
    where toUnixTimestamp(ts_initial) > 0 and ts_initial > greatest(ts_aware + interval 24 hour, ts_classified + interval 4 hour)
),

every as (
    select * from due
    union all
    select * from filed_late
)

select
    cast(report_date as Date) as report_date,
    cast(incident_id as String) as incident_id,
    cast(rule_id as String) as rule_id,
    cast('error' as String) as severity,
    cast(value as String) as value
from every
