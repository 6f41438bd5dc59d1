-- Every signed version of a control: who signed it first and second, what it changed, and who took it back.
{{ config(materialized="table", order_by="number", tags=["compliance"]) }}

with

entries as (
    select * from {{ source("compliance", "control_version") }}
),

seconded as (
    select
        base as about,
        argMin(actor, number) as approved_by,
        min(ts_event) as ts_approved
    from entries
    where kind = 'approve'
    group by base
),

taken_back as (
    select
        base as about,
        argMin(actor, number) as withdrawn_by,
        min(ts_event) as ts_withdrawn
    from entries
    where kind = 'withdraw'
    group by base
)

select
    cast(toDate(entries.ts_event, 'UTC') as Date) as report_date,
    cast(entries.number as UInt64) as number,
    cast(entries.ts_event as DateTime64(6, 'UTC')) as ts_signed,
    cast(entries.kind as String) as kind,
    cast(entries.subject as String) as subject,
    cast(entries.base as UInt64) as base,
    cast(entries.raises as Bool) as raises,
    cast(entries.actor as String) as signed_by,
    cast(entries.reason as String) as reason,
    cast(entries.changes as String) as changes,
    cast(seconded.approved_by as String) as approved_by,
    cast(if(seconded.about = 0, null, seconded.ts_approved) as Nullable(DateTime64(6, 'UTC'))) as ts_approved,
    cast(taken_back.withdrawn_by as String) as withdrawn_by,
    cast(if(taken_back.about = 0, null, taken_back.ts_withdrawn) as Nullable(DateTime64(6, 'UTC'))) as ts_withdrawn,
    cast(if(toUnixTimestamp(entries.ts_until) = 0, null, entries.ts_until) as Nullable(DateTime64(6, 'UTC')))
        as ts_until,
    cast(entries.content_hash as String) as content_hash,
    cast(entries.hash as String) as event_hash
from entries
left join seconded on entries.number = seconded.about
left join taken_back on entries.number = taken_back.about
