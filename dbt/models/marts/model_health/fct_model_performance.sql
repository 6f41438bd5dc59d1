-- Predictions against what the market did, by the rule models learn by: beyond the spread within the horizon.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="trading_day",
    on_schema_change="fail", order_by="(run_id, model, source, symbol)",
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

predictions as (
    select
        *,
        {{ trading_day("ts_event") }} as trading_day,
        addSeconds(ts_event, {{ var("horizon_s") }}) as ts_due
    from {{ ref("stg_decision__prediction") }}
    where {{ in_mode() }} and {{ days_to_build() }}
),

quoted as (
    select
        predictions.*,
        toFloat64(ticks.bid + ticks.ask) / 2 as mid,
        toFloat64(ticks.ask - ticks.bid) as spread
    from predictions
    inner join {{ ref("stg_market__tick") }} as ticks
        on
            predictions.source = ticks.source and predictions.symbol = ticks.symbol
            and predictions.ts_event = ticks.ts_event and predictions.seq = ticks.seq
),

judged as (
    select
        quoted.*,
        (quotes.quote_bid + quotes.quote_ask) / 2 - quoted.mid as move,
        quotes.ts_quote > quoted.ts_event
        and quotes.ts_quote >= subtractSeconds(quoted.ts_due, {{ var("tolerance_s") }}) as is_fresh
    from quoted
    asof join {{ ref("int_quote") }} as quotes
        on quoted.source = quotes.quote_source and quoted.symbol = quotes.quote_symbol and quoted.ts_due >= quotes.ts_quote
),

labelled as (
    select
        judged.*,
        is_fresh and feeds.ts_end >= judged.ts_due as is_known,
        multiIf(move > greatest(spread, 0), 'up', move < -greatest(spread, 0), 'down', 'flat') as outcome,
        multiIf(p_up >= p_flat and p_up >= p_down, 'up', p_down >= p_flat, 'down', 'flat') as said,
        multiIf(
            move > greatest(spread, 0), p_up, move < -greatest(spread, 0), p_down, p_flat
        ) as p_outcome
    from judged
    inner join {{ ref("int_feed_end") }} as feeds
        on judged.source = feeds.feed_source and judged.symbol = feeds.feed_symbol
)

select
    cast(l.run_id as String) as run_id,
    cast(l.mode as String) as mode,
    cast(l.model as String) as model,
    cast(l.source as String) as source,
    cast(l.symbol as String) as symbol,
    cast(l.trading_day as Date) as trading_day,
    cast(count() as UInt64) as predictions,
    cast(countIf(l.is_known) as UInt64) as labelled,
    cast({{ stable("avgOrNullIf(l.said = l.outcome, l.is_known)") }} as Nullable(Float64)) as accuracy,
    cast({{ stable("avgOrNullIf(-log(greatest(l.p_outcome, 1e-7)), l.is_known)") }} as Nullable(Float64)) as log_loss,
    cast(countIf(l.is_known and l.said != 'flat') as UInt64) as moves_said,
    cast({{ stable("avgOrNullIf(l.said = l.outcome, l.is_known and l.said != 'flat')") }} as Nullable(Float64)) as moves_right,
    cast({{ stable("avgOrNullIf(l.outcome = 'up', l.is_known)") }} as Nullable(Float64)) as share_up,
    cast({{ stable("avgOrNullIf(l.outcome = 'down', l.is_known)") }} as Nullable(Float64)) as share_down,
    cast({{ stable("avg(l.p_up)") }} as Float64) as p_up_mean,
    cast({{ stable("avg(l.p_down)") }} as Float64) as p_down_mean,
    cast(any(state.day_rows) as UInt64) as day_rows
from labelled as l
inner join {{ ref("int_day_state") }} as state on l.trading_day = state.state_day
group by l.run_id, l.mode, l.model, l.source, l.symbol, l.trading_day
