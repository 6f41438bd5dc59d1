{{ config(order_by="model", tags=["intraday"]) }}

select
    cast(model as String) as model,
    cast(name as String) as name,
    cast(ts_init as DateTime64(6, 'UTC')) as ts_registered,
    cast(feature_set_hash as String) as feature_set_hash,
    cast(run_id as String) as trained_run,
    cast(simulated as Bool) as is_simulated,
    cast(status as String) as status,
    cast(metrics as String) as metrics,
    cast(rules.rule_horizon_s as Float64) as horizon_s,
    cast(rules.rule_labels as String) as labels,
    cast(rules.rule_label_spreads as Float64) as label_spreads,
    cast(rules.rule_from as String) as rule_from
from {{ ref("stg_decision__model") }} as registered
inner join {{ ref("int_model_rule") }} as rules on registered.model = rules.rule_model
