{#-
    What came of rows of models, by each one's own label as models/training/labels.py and barriers.py
    define it: CTEs that end in `answered`, which adds `outcome` to the rows: up, down, flat, or nothing
    while it is not known. `rows` has run_id, model, source, symbol, ts_event, seq, mid, spread,
    horizon_s, labels and label_spreads; `moments` is the same relation without its quotes, which is
    cheaper to ask how far barriers look.
-#}
{% macro answers(rows, moments) %}
due as (
    select
        *,
        {{ ts_due() }} as ts_due,
        greatest(spread, 0) * label_spreads as width
    from {{ rows }}
),

at_due as (
    select
        due.*,
        quotes.ts_quote as ts_answer,
        (quotes.quote_bid + quotes.quote_ask) / 2 - due.mid as move
    from due
    asof left join {{ ref("int_quote") }} as quotes
        on due.source = quotes.quote_source and due.symbol = quotes.quote_symbol and due.ts_due >= quotes.ts_quote
),

in_session as (
    select
        at_due.*,
        closures.ts_closed as ts_closed,
        closures.ts_reopened as ts_reopened
    from at_due
    asof left join {{ ref("int_market_closure") }} as closures
        on
            at_due.source = closures.closure_source and at_due.symbol = closures.closure_symbol
            and at_due.ts_event < closures.ts_reopened
),

-- Quotes by the minute, as far as any barrier looks; nothing is read when no model has barriers.
quote_minutes as (
    select
        quote_source,
        quote_symbol,
        intDiv(toUnixTimestamp64Micro(ts_quote), 60000000) as quote_minute,
        arraySort(groupArray((ts_quote, (quote_bid + quote_ask) / 2))) as quotes,
        min((quote_bid + quote_ask) / 2) as lowest,
        max((quote_bid + quote_ask) / 2) as highest
    from {{ ref("int_quote") }}
    where
        ts_quote >= (select min(ts_event) from {{ moments }} where labels = 'barrier')
        and ts_quote <= (select max({{ ts_due() }}) from {{ moments }} where labels = 'barrier')
    group by quote_source, quote_symbol, quote_minute
),

barrier_minutes as (
    select distinct
        run_id,
        model,
        source,
        symbol,
        ts_event,
        seq,
        ts_due,
        mid,
        width,
        arrayJoin(range(
            toUInt64(intDiv(toUnixTimestamp64Micro(ts_event), 60000000)),
            toUInt64(intDiv(toUnixTimestamp64Micro(ts_due), 60000000)) + 1
        )) as row_minute
    from due
    where labels = 'barrier'
),

touches as (
    select
        b.run_id as touch_run,
        b.model as touch_model,
        b.source as touch_source,
        b.symbol as touch_symbol,
        b.ts_event as touch_event,
        b.seq as touch_seq,
        min(arrayFirst(
            quote -> quote.1 > b.ts_event and quote.1 <= b.ts_due and abs(quote.2 - b.mid) > b.width,
            q.quotes
        )) as touch
    from barrier_minutes as b
    inner join quote_minutes as q
        on b.source = q.quote_source and b.symbol = q.quote_symbol and b.row_minute = q.quote_minute
    where
        greatest(q.highest - b.mid, b.mid - q.lowest) > b.width
        and arrayExists(
            quote -> quote.1 > b.ts_event and quote.1 <= b.ts_due and abs(quote.2 - b.mid) > b.width, q.quotes
        )
    group by b.run_id, b.model, b.source, b.symbol, b.ts_event, b.seq
),

touched as (
    select
        in_session.*,
        feeds.ts_end as ts_end,
        tupleElement(touches.touch, 1) as ts_touch,
        tupleElement(touches.touch, 2) as touch_mid
    from in_session
    left join touches
        on
            in_session.run_id = touches.touch_run and in_session.model = touches.touch_model
            and in_session.source = touches.touch_source and in_session.symbol = touches.touch_symbol
            and in_session.ts_event = touches.touch_event and in_session.seq = touches.touch_seq
    left join {{ ref("int_feed_end") }} as feeds
        on in_session.source = feeds.feed_source and in_session.symbol = feeds.feed_symbol
),

answered as (
    select
        *,
        multiIf(
            labels = 'barrier' and not {{ missing("ts_touch") }}
            and ({{ missing("ts_reopened") }} or ts_touch < ts_reopened), if(touch_mid > mid, 'up', 'down'),
            labels = 'barrier' and coalesce(ts_end > ts_due, false)
            and ({{ missing("ts_reopened") }} or ts_closed > ts_due), 'flat',
            labels = 'barrier', '',
            coalesce(ts_end >= ts_due, false) and coalesce(ts_answer > ts_event, false)
            and coalesce(ts_answer >= subtractSeconds(ts_due, {{ var("tolerance_s") }}), false)
            and ({{ missing("ts_reopened") }} or ts_reopened > ts_due),
            multiIf(move > width, 'up', move < -width, 'down', 'flat'),
            ''
        ) as outcome
    from touched
)
{%- endmacro %}

{%- macro ts_due() -%}
    addMicroseconds(ts_event, toInt64(round(horizon_s * 1e6)))
{%- endmacro %}
