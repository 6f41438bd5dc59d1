select
    model,
    name,
    ts_init,
    feature_set_hash,
    run_id,
    simulated,
    metrics,
    status,
    horizon_s,
    labels,
    label_spreads
from {{ source('decision', 'model') }} final
