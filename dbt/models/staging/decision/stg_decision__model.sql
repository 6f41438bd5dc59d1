select
    model,
    name,
    ts_init,
    feature_set_hash,
    run_id,
    simulated,
    metrics,
    status
from {{ source('decision', 'model') }} final
