-- Predictions against what the market did, each model by the horizon and the label it learnt.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="trading_day",
    on_schema_change="append_new_columns", order_by="(run_id, model, source, symbol)",
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

predictions as (
    select
        *,
        {{ trading_day("ts_event") }} as trading_day
    from {{ ref("stg_decision__prediction") }}
    where {{ in_mode() }} and {{ days_to_build() }}
),

by_rule as (
    select
        predictions.*,
        if(coalesce(rules.rule_model, '') = '', {{ var("horizon_s") }}, rules.rule_horizon_s) as horizon_s,
        if(coalesce(rules.rule_model, '') = '', 'horizon', rules.rule_labels) as labels,
        if(coalesce(rules.rule_model, '') = '', 1, rules.rule_label_spreads) as label_spreads,
        if(coalesce(rules.rule_model, '') = '', 'assumed', rules.rule_from) as rule_from
    from predictions
    left join {{ ref("int_model_rule") }} as rules on predictions.model = rules.rule_model
),

quoted as (
    select
        by_rule.*,
        toFloat64(ticks.bid + ticks.ask) / 2 as mid,
        toFloat64(ticks.ask - ticks.bid) as spread
    from by_rule
    inner join {{ ref("stg_market__tick") }} as ticks
        on
            by_rule.source = ticks.source and by_rule.symbol = ticks.symbol
            and by_rule.ts_event = ticks.ts_event and by_rule.seq = ticks.seq
),

{{ answers("quoted", "by_rule") }},

labelled as (
    select
        *,
        outcome != '' as is_known,
        multiIf(p_up >= p_flat and p_up >= p_down, 'up', p_down >= p_flat, 'down', 'flat') as said,
        multiIf(outcome = 'up', p_up, outcome = 'down', p_down, p_flat) as p_outcome
    from answered
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
    cast(any(state.day_rows) as UInt64) as day_rows,
    cast(any(l.horizon_s) as Float64) as horizon_s,
    cast(any(l.labels) as String) as labels,
    cast(any(l.label_spreads) as Float64) as label_spreads,
    cast(any(l.rule_from) as String) as rule_from
from labelled as l
inner join {{ ref("int_day_state") }} as state on l.trading_day = state.state_day
group by l.run_id, l.mode, l.model, l.source, l.symbol, l.trading_day
