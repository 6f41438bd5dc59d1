-- noqa: disable=LT05
-- R4: every measurement of a clock of the day, with the limits of RTS 25 beside it.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(host, source, ts_measured)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

measured as (
    select
        *,
        toDate(ts_event, 'UTC') as report_date,
        round(abs(offset_us) + uncertainty_us, 3) as divergence,
        {{ clock_limit("divergence") }} as divergence_allowed,
        {{ clock_limit("granularity") }} as granularity_allowed
    from {{ source("compliance", "clock_sync") }}
)

select distinct
    cast(report_date as Date) as report_date,
    cast(host as String) as host,
    cast(source as String) as source,
    cast(method as String) as method,
    cast(stamp_point as String) as stamp_point,
    cast(ts_event as DateTime64(6, 'UTC')) as ts_measured,
    cast(stratum as UInt8) as stratum,
    cast(traceable as Bool) as traceable,
    cast(synchronised as Bool) as synchronised,
    cast(round(offset_us, 3) as Float64) as offset_us,
    cast(round(uncertainty_us, 3) as Float64) as uncertainty_us,
    cast(divergence as Float64) as divergence_us,
    cast(if(traceable, divergence_allowed, null) as Nullable(Float64)) as divergence_limit_us,
    cast(round(granularity_us, 3) as Float64) as granularity_us,
    cast(if(traceable, granularity_allowed, null) as Nullable(Float64)) as granularity_limit_us,
    cast(
        traceable and (divergence > divergence_allowed or granularity_us > granularity_allowed or not synchronised)
        as Bool
    ) as is_breach,
    cast(detail as String) as detail
from measured
where {{ report_days("report_date") }}
