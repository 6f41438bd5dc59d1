-- What the market did between each entry signal and its horizon, traded or not; and whether what its model
-- foresaw came true, by the model's own horizon and label.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="trading_day",
    on_schema_change="append_new_columns", order_by="(run_id, source, symbol, ts_event, signal_id)",
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

signals as (
    select
        *,
        {{ trading_day("ts_event") }} as trading_day
    from {{ ref("stg_decision__signal") }}
    where {{ in_mode() }} and target != 0 and {{ days_to_build() }}
),

traded as (
    select
        run_id as trade_run,
        signal_id as trade_signal,
        {{ stable("sum(profit_net)") }} as trade_profit,
        count() as trades
    from {{ ref("fct_trade") }}
    group by run_id, signal_id
),

later as (
    select
        signals.run_id as later_run,
        signals.signal_id as later_signal,
        quotes.ts_quote as ts_quote,
        (quotes.quote_bid + quotes.quote_ask) / 2 as mid_later
    from signals
    asof join {{ ref("int_quote") }} as quotes
        on
            signals.source = quotes.quote_source and signals.symbol = quotes.quote_symbol
            and signals.ts_horizon >= quotes.ts_quote
),

said as (
    select
        signals.run_id as run_id,
        signals.signal_id as signal_id,
        signals.model as model,
        signals.source as source,
        signals.symbol as symbol,
        signals.ts_event as ts_event,
        signals.seq as seq,
        if(coalesce(rules.rule_model, '') = '', {{ var("horizon_s") }}, rules.rule_horizon_s) as horizon_s,
        if(coalesce(rules.rule_model, '') = '', 'horizon', rules.rule_labels) as labels,
        if(coalesce(rules.rule_model, '') = '', 1, rules.rule_label_spreads) as label_spreads
    from signals
    left join {{ ref("int_model_rule") }} as rules on signals.model = rules.rule_model
    where signals.prediction_id != ''
),

quoted as (
    select
        said.*,
        toFloat64(ticks.bid + ticks.ask) / 2 as mid,
        toFloat64(ticks.ask - ticks.bid) as spread
    from said
    inner join {{ ref("stg_market__tick") }} as ticks
        on
            said.source = ticks.source and said.symbol = ticks.symbol
            and said.ts_event = ticks.ts_event and said.seq = ticks.seq
),

{{ answers("quoted", "said") }},

foreseen as (
    select
        run_id as foreseen_run,
        signal_id as foreseen_signal,
        horizon_s as model_horizon_s,
        labels,
        label_spreads,
        outcome
    from answered
),

judged as (
    select
        signals.*,
        coalesce(foreseen.model_horizon_s, 0) as model_horizon_s,
        coalesce(foreseen.labels, '') as model_labels,
        coalesce(foreseen.label_spreads, 0) as model_label_spreads,
        coalesce(foreseen.outcome, '') as model_outcome,
        state.day_rows as day_rows,
        later.mid_later as mid_later,
        coalesce(feeds.ts_end >= signals.ts_horizon, false)
        and coalesce(later.ts_quote >= subtractSeconds(signals.ts_horizon, {{ var("gap_s") }}), false) as is_known,
        coalesce(traded.trades, 0) as trades,
        coalesce(traded.trade_profit, 0) as trade_profit
    from signals
    left join foreseen on signals.run_id = foreseen.foreseen_run and signals.signal_id = foreseen.foreseen_signal
    left join later on signals.run_id = later.later_run and signals.signal_id = later.later_signal
    left join {{ ref("int_feed_end") }} as feeds
        on signals.source = feeds.feed_source and signals.symbol = feeds.feed_symbol
    left join traded on signals.run_id = traded.trade_run and signals.signal_id = traded.trade_signal
    inner join {{ ref("int_day_state") }} as state on signals.trading_day = state.state_day
)

select
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast(model as String) as model,
    cast(source as String) as source,
    cast(symbol as String) as symbol,
    cast(signal_id as String) as signal_id,
    cast(trading_day as Date) as trading_day,
    cast(ts_event as DateTime64(6, 'UTC')) as ts_event,
    cast(ts_horizon as DateTime64(6, 'UTC')) as ts_horizon,
    cast(target as Float64) as target,
    cast(confidence as Float64) as confidence,
    cast(reference_price as Float64) as reference_price,
    cast(if(is_known, mid_later, null) as Nullable(Float64)) as mid_at_horizon,
    cast(if(is_known, sign(target) * (mid_later - reference_price) / reference_price * 1e4, null) as Nullable(Float64)) as move_bp,
    cast(trades as UInt64) as trades,
    cast(if(trades > 0, trade_profit, null) as Nullable(Float64)) as profit_net,
    cast(day_rows as UInt64) as day_rows,
    cast(model_horizon_s as Float64) as model_horizon_s,
    cast(model_labels as String) as model_labels,
    cast(model_label_spreads as Float64) as model_label_spreads,
    cast(model_outcome as String) as model_outcome,
    cast(if(model_outcome = '', null, model_outcome = if(target > 0, 'up', 'down')) as Nullable(Bool)) as model_was_right
from judged
