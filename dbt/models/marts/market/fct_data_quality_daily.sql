-- How clean each feed was on each trading day, and whether late ticks changed what was said of it.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="trading_day",
    on_schema_change="fail", order_by="(source, symbol)",
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

ticks as (
    select
        source,
        symbol,
        {{ trading_day("ts_event") }} as trading_day,
        ts_event,
        quality,
        toFloat64(ask - bid) as spread,
        dateDiff('millisecond', lagInFrame(ts_event, 1, ts_event) over (
            partition by source, symbol, {{ trading_day("ts_event") }}
            order by ts_event asc, seq asc rows between unbounded preceding and current row
        ), ts_event) / 1000 as silence_s
    from {{ ref("stg_market__tick") }}
    where {{ days_to_build() }}
),

days as (
    select
        source,
        symbol,
        trading_day,
        count() as ticks,
        countIf(bitTest(quality, 0)) as crossed,
        countIf(bitTest(quality, 1)) as locked,
        countIf(bitTest(quality, 2)) as same_millisecond,
        countIf(bitTest(quality, 3)) as out_of_order,
        quantileExact(0.5)(spread) as spread_median, -- noqa: LT01
        max(spread) as spread_max,
        max(silence_s) as longest_silence_s,
        min(ts_event) as ts_first,
        max(ts_event) as ts_last
    from ticks
    group by source, symbol, trading_day
),

refused as (
    select
        source as refused_source,
        symbol as refused_symbol,
        {{ trading_day("fromUnixTimestamp64Milli(time_msc, 'UTC')") }} as refused_day,
        count() as quarantined
    from {{ ref("stg_market__tick_quarantine") }}
    group by refused_source, refused_symbol, refused_day
),

before as (
    {% if is_incremental() %}
        select
            source as before_source,
            symbol as before_symbol,
            trading_day as before_day,
            ticks as ticks_before,
            restated_from_ticks as restated_before
        from {{ this }}
    {% else %}
        select
            '' as before_source,
            '' as before_symbol,
            toDate(0) as before_day,
            toUInt64(0) as ticks_before,
            cast(null as Nullable(UInt64)) as restated_before
    {% endif %}
)

select
    cast(days.source as String) as source,
    cast(days.symbol as String) as symbol,
    cast(days.trading_day as Date) as trading_day,
    cast(days.ts_first as DateTime64(6, 'UTC')) as ts_first,
    cast(days.ts_last as DateTime64(6, 'UTC')) as ts_last,
    cast(days.ticks as UInt64) as ticks,
    cast(days.crossed as UInt64) as crossed,
    cast(days.locked as UInt64) as locked,
    cast(days.same_millisecond as UInt64) as same_millisecond,
    cast(days.out_of_order as UInt64) as out_of_order,
    cast(coalesce(refused.quarantined, 0) as UInt64) as quarantined,
    cast(days.spread_median as Float64) as spread_median,
    cast(days.spread_max as Float64) as spread_max,
    cast(days.longest_silence_s as Float64) as longest_silence_s,
    cast(if(
        coalesce(before.ticks_before, 0) in (0, days.ticks), before.restated_before, before.ticks_before
    ) as Nullable(UInt64)) as restated_from_ticks,
    cast(state.day_rows as UInt64) as day_rows
from days
left join refused
    on
        days.source = refused.refused_source and days.symbol = refused.refused_symbol
        and days.trading_day = refused.refused_day
left join before
    on
        days.source = before.before_source and days.symbol = before.before_symbol
        and days.trading_day = before.before_day
inner join {{ ref("int_day_state") }} as state on days.trading_day = state.state_day
