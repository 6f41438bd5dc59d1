-- noqa: disable=LT05
-- R5: execution quality by instrument, kind of order and hour: the table that is reviewed.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(account, source, symbol, order_type, purpose, hour)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

select
    cast(o.report_date as Date) as report_date,
    cast(any(o.mode) as String) as mode,
    cast(o.account as String) as account,
    cast(o.source as String) as source,
    cast(o.symbol as String) as symbol,
    cast(o.order_type as String) as order_type,
    cast(o.purpose as String) as purpose,
    cast(toHour(o.ts_sent, 'UTC') as UInt8) as hour,
    cast(count() as UInt64) as orders,
    cast(countIf(o.outcome = 'filled') as UInt64) as filled,
    cast(countIf(o.outcome = 'partially_filled') as UInt64) as partially_filled,
    cast(countIf(o.outcome = 'rejected') as UInt64) as rejected,
    cast(countIf(o.outcome in ('cancelled', 'expired', 'unknown', 'busted', 'working')) as UInt64) as not_executed,
    cast({{ stable("sum(o.volume_filled) / nullIf(sum(o.volume_asked), 0)") }} as Nullable(Float64)) as fill_ratio,
    cast({{ stable("countIf(o.outcome = 'rejected') / count()") }} as Float64) as reject_ratio,
    cast({{ stable("avgOrNull(o.spread_bp)") }} as Nullable(Float64)) as spread_mean_bp,
    cast({{ stable("avgOrNull(o.slippage_bp)") }} as Nullable(Float64)) as slippage_mean_bp,
    cast(quantileExactOrNull(0.5)(o.slippage_bp) as Nullable(Float64)) as slippage_p50_bp, -- noqa: LT01
    cast(quantileExactOrNull(0.95)(o.slippage_bp) as Nullable(Float64)) as slippage_p95_bp, -- noqa: LT01
    cast(max(o.slippage_bp) as Nullable(Float64)) as slippage_worst_bp,
    cast(quantileExactOrNull(0.5)(o.known_ms) as Nullable(Float64)) as known_ms_p50, -- noqa: LT01
    cast(quantileExactOrNull(0.99)(o.known_ms) as Nullable(Float64)) as known_ms_p99, -- noqa: LT01
    cast(quantileExactOrNull(0.5)(o.venue_ms) as Nullable(Float64)) as venue_ms_p50, -- noqa: LT01
    cast(quantileExactOrNull(0.99)(o.venue_ms) as Nullable(Float64)) as venue_ms_p99, -- noqa: LT01
    cast(countIf(o.twin_outcome != '') as UInt64) as twin_orders,
    cast(countIf(o.twin_outcome != '' and (o.twin_outcome = 'rejected') != (o.outcome = 'rejected')) as UInt64) as twin_disagrees,
    cast({{ stable("avgOrNull(o.over_twin_bp)") }} as Nullable(Float64)) as over_twin_mean_bp,
    cast(argMax(o.order_id, tuple(coalesce(o.slippage_bp, -1e9), o.journal_seq)) as String) as worst_order_id,
    cast(argMax(o.signal_id, tuple(coalesce(o.slippage_bp, -1e9), o.journal_seq)) as String) as worst_signal_id
from {{ ref("rpt_execution_order") }} as o
where {{ report_days("o.report_date") }}
group by o.report_date, o.account, o.source, o.symbol, o.order_type, o.purpose, toHour(o.ts_sent, 'UTC')
