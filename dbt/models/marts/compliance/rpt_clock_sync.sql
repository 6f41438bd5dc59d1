-- noqa: disable=LT05
-- R4: per host and reference: how far the clock was off, how finely it stamps, how often that was measured.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(host, source, stamp_point)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

measured as (
    select
        *,
        dateDiff('second', lagInFrame(ts_measured, 1, ts_measured) over (
            partition by report_date, host, source, stamp_point
            order by ts_measured asc rows between 1 preceding and current row
        ), ts_measured) as since_s
    from {{ ref("rpt_clock_measurement") }}
    where {{ report_days("report_date") }}
)

select
    cast(m.report_date as Date) as report_date,
    cast(m.host as String) as host,
    cast(m.source as String) as source,
    cast(m.stamp_point as String) as stamp_point,
    cast(any(m.method) as String) as method,
    cast(max(m.traceable) as Bool) as traceable,
    cast(max(m.stratum) as UInt8) as stratum_max,
    cast(count() as UInt64) as samples,
    cast(min(m.ts_measured) as DateTime64(6, 'UTC')) as ts_first,
    cast(max(m.ts_measured) as DateTime64(6, 'UTC')) as ts_last,
    cast(max(m.since_s) / 60 as Float64) as longest_gap_minutes,
    cast(max(abs(m.offset_us)) as Float64) as offset_max_us,
    cast(quantileExact(0.99)(abs(m.offset_us)) as Float64) as offset_p99_us, -- noqa: LT01
    cast(max(m.uncertainty_us) as Float64) as uncertainty_max_us,
    cast(max(m.divergence_us) as Float64) as divergence_max_us,
    cast(any(m.divergence_limit_us) as Nullable(Float64)) as divergence_limit_us,
    cast(max(m.granularity_us) as Float64) as granularity_max_us,
    cast(any(m.granularity_limit_us) as Nullable(Float64)) as granularity_limit_us,
    cast(countIf(not m.synchronised) as UInt64) as unsynchronised,
    cast(countIf(m.is_breach) as UInt64) as breaches
from measured as m
group by m.report_date, m.host, m.source, m.stamp_point
