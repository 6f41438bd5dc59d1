-- Sequence checks of order records: what cannot have happened in this order; and whether the signal is stored that an
-- event names, without which nobody can say where it came from.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(account, run_id, journal_seq, rule_id)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

codes as ({{ order_event_codes() }}
),

events as (
    select
        *,
        toDate(ts_event, 'UTC') as report_date,
        lagInFrame(seq, 1, 0) over (
            partition by run_id, account order by seq asc rows between unbounded preceding and current row
        ) as seq_before,
        lagInFrame(ts_init, 1, toDateTime64(0, 6, 'UTC')) over (
            partition by run_id, account order by seq asc rows between unbounded preceding and current row
        ) as ts_before,
        countIf(kind = 'submitted') over (
            partition by run_id, account, order_id order by seq asc rows between unbounded preceding and current row
        ) as sent,
        sumIf(volume, kind in ('partially_filled', 'filled')) over (
            partition by run_id, account, order_id order by seq asc rows between unbounded preceding and current row
        ) as done,
        argMinIf(volume, seq, kind = 'submitted') over (partition by run_id, account, order_id) as asked,
        countIf(kind = 'cancelling') over (
            partition by run_id, account, order_id order by seq asc rows between unbounded preceding and current row
        ) as taken_back,
        countIf(kind in ('filled', 'cancelled', 'rejected', 'expired', 'denied')) over (
            partition by run_id, account, order_id order by seq asc rows between unbounded preceding and 1 preceding
        ) as ended
    from {{ ref("stg_execution__order_event") }}
    where {{ in_mode() }}
),

traced as (
    select
        events.*,
        lineage.tick_status as tick_status
    from events
    left join {{ ref("rpt_lineage") }} as lineage
        on events.run_id = lineage.run_id and events.account = lineage.account and events.seq = lineage.journal_seq
    where {{ report_days("events.report_date") }}
),

coded as (
    select
        traced.*,
        codes.meaning as meaning
    from traced
    left join codes on traced.kind = codes.code_event and {{ event_cause("traced.taken_back") }} = codes.code_cause
),

judged as (
    select
        *,
        arrayJoin(arrayFilter(rule -> tupleElement(rule, 3), [
            tuple('sequence_gap', toString(seq_before), seq != seq_before + 1),
            tuple('time_runs_back', toString(ts_before), ts_init < ts_before),
            tuple('fill_without_order', order_id, kind in ('partially_filled', 'filled') and sent = 0),
            tuple('more_than_ordered', toString(done), kind in ('partially_filled', 'filled') and sent > 0 and done > asked + 1e-9),
            tuple('ended_before_new', order_id, kind in ('cancelled', 'rejected', 'expired') and sent = 0),
            tuple('sent_twice', order_id, kind = 'submitted' and sent > 1),
            tuple('event_after_end', order_id, kind in ('submitted', 'accepted', 'partially_filled', 'filled', 'rejected') and ended > 0),
            tuple('unknown_event', concat(kind, ' ', purpose), coalesce(meaning, '') = ''),
            tuple('no_lineage', signal_id, signal_id != '' and coalesce(tick_status, '') = '')
        ])) as broken
    from coded
)

select
    cast(report_date as Date) as report_date,
    cast(run_id as String) as run_id,
    cast(account as String) as account,
    cast(order_id as String) as order_id,
    cast(signal_id as String) as signal_id,
    cast(seq as UInt64) as journal_seq,
    cast(kind as String) as own_event,
    cast(tupleElement(broken, 1) as String) as rule_id,
    cast(if(tupleElement(broken, 1) = 'no_lineage', 'warning', 'error') as String) as severity,
    cast(tupleElement(broken, 2) as String) as value
from judged
