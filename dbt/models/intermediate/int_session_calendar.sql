-- Sessions by trading day, from the first tick to the last. New York's clock decides: a day starts
-- at 17:00 of the day before (metals at 18:00) and ends at 17:00; weekends belong to `always` alone.
with

span as (
    select
        {{ trading_day("min(ts_event)") }} as first_day,
        {{ trading_day("max(ts_event)") }} as last_day
    from {{ ref("stg_market__tick") }}
),

days as (
    select
        arrayJoin(arrayMap(
            i -> addDays(first_day, i),
            range(toUInt32(least(dateDiff('day', first_day, last_day), 36500)) + 1)
        )) as trading_day
    from span
),

sessions as (
    select arrayJoin(['forex', 'metal', 'always']) as session
)

select
    days.trading_day,
    sessions.session,
    toDateTime64(toTimeZone(toDateTime(
        concat(toString(addDays(days.trading_day, -1)), if(sessions.session = 'metal', ' 18:00:00', ' 17:00:00')),
        'America/New_York'
    ), 'UTC'), 6, 'UTC') as ts_open,
    toDateTime64(toTimeZone(toDateTime(
        concat(toString(days.trading_day), ' 17:00:00'), 'America/New_York'
    ), 'UTC'), 6, 'UTC') as ts_close
from days
cross join sessions
where sessions.session = 'always' or toDayOfWeek(days.trading_day) <= 5
