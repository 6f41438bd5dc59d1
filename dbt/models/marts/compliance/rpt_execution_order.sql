-- noqa: disable=LT05
-- R5: every order that was sent, and every stop the broker executed: what was asked, what came of it,
-- how far from the mid at which it was sent (of one that waited: from its own price), how fast, and what the broker's
-- twin made of it.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(account, ts_sent, order_id, order_type)", tags=["compliance", "intraday"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

sent as (
    select
        run_id,
        mode,
        account,
        strategy,
        order_id,
        any(signal_id) as order_signal,
        any(source) as order_source,
        any(symbol) as order_symbol,
        min(seq) as first_seq,
        argMinIf(side, seq, kind = 'submitted') as order_side,
        argMinIf(purpose, seq, kind = 'submitted') as order_purpose,
        minIf(ts_init, kind = 'submitted') as sent_at,
        minIf(ts_init, kind in ('partially_filled', 'filled')) as known_at,
        maxIf(ts_event, kind in ('partially_filled', 'filled')) as filled_at,
        argMinIf(volume, seq, kind = 'submitted') as asked,
        argMaxIf(price, seq, kind in ('submitted', 'modified')) as asked_price,
        -- The reason of one that waits for its price names what it is and what its strategy calls it.
        arrayFirst(type -> startsWith(argMinIf(reason, seq, kind = 'submitted'), concat(type, ' ')), ['limit', 'stop']) as waits,
        round(sumIf(volume, kind in ('partially_filled', 'filled')), 8) as filled,
        sumIf(volume * price, kind in ('partially_filled', 'filled')) as paid,
        round(sumIf(commission, kind in ('partially_filled', 'filled')), 8) as cost,
        argMinIf(arrival_mid, seq, arrival_mid > 0) as journal_mid,
        argMaxIf(kind, seq, kind in ('filled', 'busted', 'rejected', 'cancelled', 'expired', 'unknown', 'reconciled')) as last_word,
        argMaxIf(reason, seq, kind in ('rejected', 'cancelled', 'expired')) as said
    from {{ ref("int_order_event_told") }}
    where {{ in_mode() }}
    group by run_id, mode, account, strategy, order_id
    having countIf(kind = 'submitted') > 0
),

stops as (
    select
        run_id,
        mode,
        account,
        strategy,
        order_id,
        signal_id,
        source,
        symbol,
        seq,
        side,
        purpose,
        ts_event,
        volume,
        price,
        commission,
        stop_price
    from {{ ref("int_order_event_told") }}
    where {{ in_mode() }} and kind = 'closed'
),

orders as (
    select
        toDate(sent_at, 'UTC') as report_date,
        run_id,
        mode,
        account,
        strategy,
        order_id,
        order_signal as signal_id,
        order_source as source,
        order_symbol as symbol,
        first_seq as seq,
        order_side as side,
        order_purpose as purpose,
        if(waits = '', 'market', waits) as order_type,
        sent_at,
        known_at,
        filled_at,
        asked,
        filled,
        paid,
        cost,
        journal_mid,
        if(waits = '', 0, asked_price) as own_level,
        multiIf(
            filled >= asked - 1e-9, 'filled', filled > 0, 'partially_filled', last_word = '' and waits != '', 'working',
            last_word in ('', 'unknown', 'reconciled'), 'unknown', last_word
        ) as outcome,
        said
    from sent
    union all
    select
        toDate(ts_event, 'UTC') as report_date,
        run_id,
        mode,
        account,
        strategy,
        order_id,
        signal_id,
        source,
        symbol,
        seq,
        side,
        purpose,
        if(purpose = 'stop', 'stop at the broker', 'closed by the broker') as order_type,
        ts_event as sent_at,
        toDateTime64(0, 6, 'UTC') as known_at,
        ts_event as filled_at,
        volume as asked,
        volume as filled,
        volume * price as paid,
        commission as cost,
        toFloat64(0) as journal_mid,
        if(purpose = 'stop', stop_price, 0) as own_level,
        'filled' as outcome,
        '' as said
    from stops
),

of_day as (
    select *
    from orders
    where {{ report_days("report_date") }}
),

quotes as (
    select *
    from {{ ref("int_quote") }}
    where {{ ticks_near("ts_quote") }}
),

with_quote as (
    select
        of_day.*,
        quotes.ts_quote as ts_quote,
        quotes.quote_bid as quote_bid,
        quotes.quote_ask as quote_ask
    from of_day
    asof left join quotes
        on of_day.source = quotes.quote_source and of_day.symbol = quotes.quote_symbol and of_day.sent_at >= quotes.ts_quote
),

referred as (
    select
        *,
        not {{ missing("ts_quote") }} and ts_quote >= subtractSeconds(sent_at, {{ var("tca_quote_s") }}) as has_quote,
        if(has_quote, (quote_bid + quote_ask) / 2, 0) as tick_mid,
        multiIf(order_type in ('limit', 'stop'), 'order price', own_level > 0, 'stop level', has_quote, 'tick mid', journal_mid > 0, 'journal mid', 'none') as reference_kind,
        multiIf(own_level > 0, own_level, has_quote, tick_mid, journal_mid) as reference_price,
        if(filled > 0, paid / filled, 0) as price_paid,
        if(side = 'buy', 1, -1) as direction
    from with_quote
),

twins as (
    select
        run_id as twin_run,
        account as twin_account,
        order_id as twin_order,
        any(twin_outcome) as twin_word,
        any(if(twin_volume > 0 and arrival_mid > 0, if(side = 'buy', 1, -1) * (twin_price - arrival_mid) / arrival_mid * 1e4, null)) as twin_bp,
        any(if(twin_volume > 0 and real_volume > 0, if(side = 'buy', 1, -1) * (real_price - twin_price) / nullIf(twin_price, 0) * 1e4, null)) as over_twin_bp,
        any(if(twin_volume > 0, twin_latency_ms, null)) as twin_ms
    from {{ ref("stg_execution__twin_comparison") }}
    where {{ in_mode() }}
    group by run_id, account, order_id
)

select
    cast(report_date as Date) as report_date,
    cast(mode as String) as mode,
    cast(run_id as String) as run_id,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast(source as String) as source,
    cast(symbol as String) as symbol,
    cast(order_id as String) as order_id,
    cast(signal_id as String) as signal_id,
    cast(seq as UInt64) as journal_seq,
    cast(side as String) as side,
    cast(purpose as String) as purpose,
    cast(order_type as String) as order_type,
    cast(sent_at as DateTime64(6, 'UTC')) as ts_sent,
    cast(if(filled > 0, filled_at, null) as Nullable(DateTime64(6, 'UTC'))) as ts_filled,
    cast(outcome as String) as outcome,
    cast(said as String) as refusal,
    cast(asked as Float64) as volume_asked,
    cast(filled as Float64) as volume_filled,
    cast(if(asked > 0, round(filled / asked, 8), 0) as Float64) as fill_ratio,
    cast(reference_kind as String) as reference_kind,
    cast(round(reference_price, 8) as Float64) as reference_price,
    cast(if(has_quote, round((quote_ask - quote_bid) / tick_mid * 1e4, 6), null) as Nullable(Float64)) as spread_bp,
    cast(if(has_quote, dateDiff('microsecond', ts_quote, sent_at) / 1000, null) as Nullable(Float64)) as quote_age_ms,
    cast(if(has_quote and journal_mid > 0, round(abs(journal_mid - tick_mid) / tick_mid * 1e4, 6), null) as Nullable(Float64)) as mid_difference_bp,
    cast(if(filled > 0, round(price_paid, 8), null) as Nullable(Float64)) as price_filled,
    cast(if(
        filled > 0 and reference_price > 0, round(direction * (price_paid - reference_price) / reference_price * 1e4, 6) + 0, null
    ) as Nullable(Float64)) as slippage_bp,
    cast(cost as Float64) as commission,
    cast(if(
        filled > 0 and order_type not in ('limit', 'stop') and not {{ missing("known_at") }}, dateDiff('microsecond', sent_at, known_at) / 1000, null
    ) as Nullable(Float64)) as known_ms,
    cast(if(
        filled > 0 and order_type = 'market', dateDiff('microsecond', sent_at, filled_at) / 1000, null
    ) as Nullable(Float64)) as venue_ms,
    cast(coalesce(twin_word, '') as String) as twin_outcome,
    cast(round(twin_bp, 6) + 0 as Nullable(Float64)) as twin_slippage_bp,
    cast(round(over_twin_bp, 6) + 0 as Nullable(Float64)) as over_twin_bp,
    cast(twin_ms as Nullable(Float64)) as twin_ms
from referred
left join twins
    on
        referred.run_id = twins.twin_run and referred.account = twins.twin_account
        and referred.order_id = twins.twin_order and referred.order_type = 'market'
