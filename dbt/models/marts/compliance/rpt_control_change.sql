-- What people did to the controls: limits, overrides, halts, releases, models, reference data, settings. Work on reports,
-- breaks, cases and incidents stands in their own registers: a day's evidence would change with each report made of it.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(ts_event, stream, seq)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

select distinct
    cast(toDate(ts_event, 'UTC') as Date) as report_date,
    cast(stream as String) as stream,
    cast(seq as UInt64) as seq,
    cast(ts_event as DateTime64(6, 'UTC')) as ts_event,
    cast(actor as String) as actor,
    cast(JSONExtractBool(detail, 'authenticated') as Bool) as authenticated,
    cast(action as String) as action,
    cast(subject as String) as subject,
    cast(reason as String) as reason,
    cast(JSONExtractString(detail, 'text') as String) as told,
    cast(hash as String) as event_hash
from {{ source("compliance", "audit_event") }}
where
    {{ report_days("report_date") }}
    and splitByChar(' ', action)[1] not in ('report', 'break', 'case', 'incident')
