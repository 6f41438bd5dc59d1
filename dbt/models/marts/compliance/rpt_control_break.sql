-- noqa: disable=LT05
-- R3: where the evidence itself has a hole: an alert that was late or never came, a change nobody signed
-- for with a password, a blocked order whose signal is not stored, a strategy that traded and stands in no inventory.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(item, row_id, rule_id)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

late as (
    select
        report_date,
        'alert' as item,
        alert_id as row_id,
        'latency_ms' as field,
        'alert_late' as rule_id,
        'warning' as severity,
        toString(latency_ms) as value,
        order_id,
        '' as signal_id
    from {{ ref("rpt_alert_latency") }}
    where {{ report_days("report_date") }} and not in_time
),

silent as (
    select
        report_date,
        'order' as item,
        order_id as row_id,
        'control' as field,
        'blocked_without_alert' as rule_id,
        'warning' as severity,
        control as value,
        order_id,
        signal_id
    from {{ ref("rpt_control_block") }}
    where
        {{ report_days("report_date") }}
        -- As surveillance.watcher: these say nothing about a limit, so nobody is alerted.
        and control not in ('market_closed', 'below_minimum', 'duplicate', 'stale_signal', 'halted', 'reducing')
        and order_id not in (select alerts.order_id from {{ ref("rpt_alert_latency") }} as alerts)
),

unsigned as (
    select
        report_date,
        'change' as item,
        toString(seq) as row_id,
        'authenticated' as field,
        'change_without_password' as rule_id,
        'warning' as severity,
        concat(action, ' by ', actor) as value,
        '' as order_id,
        '' as signal_id
    from {{ ref("rpt_control_change") }}
    where
        {{ report_days("report_date") }} and not authenticated and not startsWith(actor, 'breaker ')
        and action in ('override', 'resume', 'limits install', 'throttle release', 'promote', 'rollback', 'reference import')
),

untraced as (
    select
        report_date,
        'order' as item,
        order_id as row_id,
        'signal_id' as field,
        'no_lineage' as rule_id,
        'warning' as severity,
        signal_id as value,
        order_id,
        signal_id
    from {{ ref("rpt_control_block") }}
    where {{ report_days("report_date") }} and {{ is_untraced('signal_id') }}
),

traded as (
    select
        toDate(ts_event, 'UTC') as report_date,
        strategy as used_strategy,
        argMin(order_id, seq) as first_order,
        argMin(signal_id, seq) as first_signal
    from {{ ref("stg_execution__order_event") }}
    where {{ in_mode() }} and kind in ('submitted', 'denied') and {{ report_days("report_date") }}
    group by report_date, strategy
),

nameless as (
    select
        traded.report_date as report_date,
        'strategy' as item,
        traded.used_strategy as row_id,
        'strategy' as field,
        'strategy_not_in_inventory' as rule_id,
        'error' as severity,
        traded.used_strategy as value,
        traded.first_order as order_id,
        traded.first_signal as signal_id
    from traded
    left join {{ ref("int_reference_person") }} as people on traded.used_strategy = people.ref_strategy
    group by traded.report_date, traded.used_strategy, traded.first_order, traded.first_signal
    having countIf(coalesce(people.ref_version, 0) > 0 and people.ref_from <= traded.report_date) = 0
),

all_rows as (
    select * from late
    union all
    select * from silent
    union all
    select * from untraced
    union all
    select * from unsigned
    union all
    select * from nameless
)

select
    cast(report_date as Date) as report_date,
    cast(item as String) as item,
    cast(row_id as String) as row_id,
    cast(field as String) as field,
    cast(rule_id as String) as rule_id,
    cast(severity as String) as severity,
    cast(value as String) as value,
    cast(order_id as String) as order_id,
    cast(signal_id as String) as signal_id
from all_rows
