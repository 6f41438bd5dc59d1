-- How much the warehouse holds of each trading day, and how often its ticks were corrected. What is
-- computed for a day may look into the next one (a signal's horizon), so its ticks count too. Whatever
-- is corrected, `day_rows` grows: a corrected tick counts once more, and a withdrawn one twice, for it
-- has left the ticks.
with

rows_of_days as (
    select
        {{ trading_day("ts_event") }} as trading_day,
        count() as day_ticks,
        0 as day_changes,
        0 as day_records
    from {{ ref("stg_market__tick") }}
    group by trading_day
    union all
    select
        {{ trading_day("ts_event") }} as trading_day,
        0 as day_ticks,
        sum(if(kind = 'withdrawal', 2, 1)) as day_changes,
        0 as day_records
    from {{ ref("stg_market__tick_version") }}
    where version > 0
    group by trading_day
    union all
    select
        {{ trading_day("ts_event") }} as trading_day,
        0 as day_ticks,
        0 as day_changes,
        count() as day_records
    from {{ ref("stg_decision__signal") }}
    group by trading_day
    union all
    select
        {{ trading_day("ts_event") }} as trading_day,
        0 as day_ticks,
        0 as day_changes,
        count() as day_records
    from {{ ref("stg_decision__prediction") }}
    group by trading_day
    union all
    select
        {{ trading_day("ts_event") }} as trading_day,
        0 as day_ticks,
        0 as day_changes,
        count() as day_records
    from {{ ref("stg_execution__order_event") }}
    group by trading_day
    union all
    select
        {{ trading_day("fromUnixTimestamp64Milli(time_msc, 'UTC')") }} as trading_day,
        0 as day_ticks,
        0 as day_changes,
        count() as day_records
    from {{ ref("stg_market__tick_quarantine") }}
    group by trading_day
),

days as (
    select
        trading_day,
        sum(day_ticks) as ticks,
        sum(day_changes) as changes,
        sum(day_records) as records
    from rows_of_days
    group by trading_day
)

select
    trading_day as state_day,
    ticks,
    changes,
    records,
    toUInt64(records + sum(ticks + changes) over (
        order by trading_day asc rows between current row and 1 following
    )) as day_rows
from days
