-- noqa: disable=LT05
-- Order events in the vocabulary of RTS 24, with what an order record needs beside them.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="(account, run_id, journal_seq)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

codes as ({{ order_event_codes() }}
),

events as (
    select
        *,
        toDate(ts_event, 'UTC') as report_date,
        argMinIf(volume, seq, kind in ('submitted', 'denied')) over (partition by run_id, account, order_id) as asked,
        argMin(purpose, seq) over (partition by run_id, account, order_id) as order_purpose,
        sumIf(volume, kind in ('partially_filled', 'filled')) over (
            partition by run_id, account, order_id order by seq asc rows between unbounded preceding and current row
        ) as done,
        countIf(kind = 'cancelling') over (
            partition by run_id, account, order_id order by seq asc rows between unbounded preceding and current row
        ) as taken_back
    from {{ ref("stg_execution__order_event") }}
    where {{ in_mode() }}
),

of_day as (
    select
        events.*,
        instruments.isin as isin,
        instruments.venue as venue,
        instruments.price_currency as price_currency,
        instruments.ref_version as instrument_version
    from events
    asof left join {{ ref("int_reference_instrument") }} as instruments
        on events.source = instruments.ref_source and events.symbol = instruments.ref_symbol and events.report_date >= instruments.ref_from
    where {{ report_days("report_date") }}
),

-- A position is closed under the signal that opened it, at the market.
with_terms as (
    select
        of_day.*,
        waiting.waiting_entry as waiting_entry,
        waiting.waiting_expiry as waiting_expiry
    from of_day
    left join {{ ref("int_waiting_signal") }} as waiting
        on of_day.run_id = waiting.waiting_run and of_day.signal_id = waiting.waiting_signal and of_day.order_purpose = 'entry'
),

with_person as (
    select
        of_day.*,
        people.decision_id as decision_id,
        people.execution_id as execution_id
    from with_terms as of_day
    asof left join {{ ref("int_reference_person") }} as people
        on of_day.strategy = people.ref_strategy and of_day.report_date >= people.ref_from
),

coded as (
    select
        with_person.*,
        codes.code as code,
        coalesce(codes.meaning, '') as meaning
    from with_person
    left join codes
        on with_person.kind = codes.code_event and {{ event_cause("with_person.taken_back") }} = codes.code_cause
)

select
    cast(report_date as Date) as report_date,
    cast(seq as UInt64) as journal_seq,
    cast(coalesce(code, '') as String) as event_code,
    cast(kind as String) as own_event,
    cast(ts_event as DateTime64(6, 'UTC')) as ts_event,
    cast(ts_init as DateTime64(6, 'UTC')) as ts_recorded,
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast(coalesce(decision_id, '') as String) as decision_id,
    cast(coalesce(execution_id, '') as String) as execution_id,
    cast(order_id as String) as order_id,
    cast(signal_id as String) as signal_id,
    cast(source as String) as source,
    cast(symbol as String) as symbol,
    cast(coalesce(isin, '') as String) as isin,
    cast(coalesce(venue, '') as String) as venue,
    cast(multiIf(side = 'buy', 'BUYI', side = 'sell', 'SELL', '') as String) as side,
    cast(purpose as String) as purpose,
    cast(multiIf(waiting_entry = 'limit', 'LMTO', waiting_entry = 'stop', 'STOP', 'MARK') as String) as order_type,
    cast(multiIf(
        waiting_entry not in ('limit', 'stop'), 'IOCV', waiting_expiry = 'gtc', 'GTCV', waiting_expiry = 'day', 'DAVY', 'GTTV'
    ) as String) as validity,
    cast(asked as Float64) as quantity_ordered,
    cast(if(kind in ('partially_filled', 'filled', 'closed'), volume, 0) as Float64) as quantity_event,
    cast(greatest(asked - done, 0) as Float64) as quantity_left,
    cast(price as Float64) as price,
    cast(coalesce(price_currency, '') as String) as price_currency,
    cast(stop_price as Float64) as stop_price,
    cast(reason as String) as reason,
    cast(venue_order as UInt64) as venue_order,
    cast(venue_deal as UInt64) as venue_deal,
    cast(hash as String) as event_hash,
    cast(meaning as String) as event_meaning
from coded
