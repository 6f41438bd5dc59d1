-- The register of incidents as it stands: all days, for an incident is classified, filed and closed later.
{{ config(materialized="table", order_by="(report_date, incident_id)", tags=["compliance"]) }}

select
    cast(toDate(ts_aware, 'UTC') as Date) as report_date,
    cast(incident_id as String) as incident_id,
    cast(account as String) as account,
    cast(title as String) as title,
    cast(rule as String) as rule,
    cast(subject as String) as subject,
    cast(ts_began as DateTime64(6, 'UTC')) as ts_began,
    cast(ts_aware as DateTime64(6, 'UTC')) as ts_aware,
    cast(ts_ended as DateTime64(6, 'UTC')) as ts_ended,
    cast(alerts as UInt64) as alerts,
    cast(status as String) as status,
    cast(major as Bool) as major,
    cast(impact as String) as impact,
    cast(arrayStringConcat(basis, '; ') as String) as basis,
    cast(classified_by as String) as classified_by,
    cast(ts_classified as DateTime64(6, 'UTC')) as ts_classified,
    cast(ts_initial as DateTime64(6, 'UTC')) as ts_initial,
    cast(ts_intermediate as DateTime64(6, 'UTC')) as ts_intermediate,
    cast(ts_final as DateTime64(6, 'UTC')) as ts_final,
    cast(arrayStringConcat(filed, '; ') as String) as filed,
    cast(due_step as String) as due_step,
    cast(ts_due as DateTime64(6, 'UTC')) as ts_due,
    cast(cause as String) as cause,
    cast(closed_by as String) as closed_by,
    cast(ts_closed as DateTime64(6, 'UTC')) as ts_closed
from {{ source("compliance", "incident") }}
where {{ in_mode() }}
