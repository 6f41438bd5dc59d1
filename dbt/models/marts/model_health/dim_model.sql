{{ config(order_by="model") }}

select
    cast(model as String) as model,
    cast(name as String) as name,
    cast(ts_init as DateTime64(6, 'UTC')) as ts_registered,
    cast(feature_set_hash as String) as feature_set_hash,
    cast(run_id as String) as trained_run,
    cast(simulated as Bool) as is_simulated,
    cast(status as String) as status,
    cast(metrics as String) as metrics
from {{ ref("stg_decision__model") }}
