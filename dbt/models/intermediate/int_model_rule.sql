-- What each model learnt to foresee, by which it is judged. One that was registered before its table kept
-- that is judged as all were then: where the mid stands after `horizon_s`, beyond one spread.
select
    model as rule_model,
    if(horizon_s > 0, horizon_s, {{ var("horizon_s") }}) as rule_horizon_s,
    if(horizon_s > 0, labels, 'horizon') as rule_labels,
    if(horizon_s > 0, label_spreads, 1) as rule_label_spreads,
    if(horizon_s > 0, 'card', 'assumed') as rule_from
from {{ ref("stg_decision__model") }}
