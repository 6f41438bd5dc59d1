-- RTS 6 article 12: every time trading was stopped, by whom or what, how fast, and who let it go on.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(account, ts_stopped)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

states as (
    select
        *,
        leadInFrame(ts_event, 1, toDateTime64(0, 6, 'UTC')) over (
            partition by run_id, account order by ts_event asc, ts_init asc rows between unbounded preceding and unbounded following
        ) as ts_next,
        leadInFrame(set_by, 1, '') over (
            partition by run_id, account order by ts_event asc, ts_init asc rows between unbounded preceding and unbounded following
        ) as next_by,
        leadInFrame(state, 1, '') over (
            partition by run_id, account order by ts_event asc, ts_init asc rows between unbounded preceding and unbounded following
        ) as next_state
    from {{ ref("stg_execution__risk_state") }}
    where {{ in_mode() }}
),

stops as (
    select
        *,
        toDate(ts_event, 'UTC') as report_date,
        if(next_state = '', toDateTime64('2149-01-01 00:00:00', 6, 'UTC'), ts_next) as ts_until
    from states
    where state in ('halted', 'reducing') and {{ report_days("report_date") }}
),

orders as (
    select
        run_id as order_run,
        account as order_account,
        order_id as ended_order,
        ts_event as ts_ended,
        purpose as order_purpose,
        kind as order_kind
    from {{ ref("stg_execution__order_event") }}
    where kind in ('cancelled', 'expired', 'superseded') or (kind in ('filled', 'partially_filled') and purpose = 'flatten')
)

select
    cast(any(stops.report_date) as Date) as report_date,
    cast(stops.run_id as String) as run_id,
    cast(any(stops.mode) as String) as mode,
    cast(stops.account as String) as account,
    cast(stops.ts_event as DateTime64(6, 'UTC')) as ts_stopped,
    cast(any(stops.state) as String) as state,
    cast(any(stops.set_by) as String) as stopped_by,
    cast(any(if(startsWith(stops.set_by, 'breaker'), 'breaker', 'person')) as String) as trigger_kind,
    cast(any(stops.reason) as String) as reason,
    cast('account' as String) as scope,
    cast(uniqExactIf(orders.ended_order, orders.order_kind in ('cancelled', 'expired', 'superseded')) as UInt64) as orders_cancelled,
    cast(uniqExactIf(orders.ended_order, orders.order_purpose = 'flatten') as UInt64) as positions_closed,
    cast(if(
        countIf(orders.ended_order != '') = 0, null,
        dateDiff('microsecond', stops.ts_event, maxIf(orders.ts_ended, orders.ended_order != '')) / 1000
    ) as Nullable(Float64)) as ms_to_last,
    cast(any(stops.next_state) as String) as next_state,
    cast(any(stops.next_by) as String) as next_by,
    cast(if(any(stops.next_state) = '', null, any(stops.ts_next)) as Nullable(DateTime64(6, 'UTC'))) as ts_next
from stops
left join orders
    on
        stops.run_id = orders.order_run and stops.account = orders.order_account
        and stops.ts_event <= orders.ts_ended and stops.ts_until > orders.ts_ended
group by stops.run_id, stops.account, stops.ts_event
