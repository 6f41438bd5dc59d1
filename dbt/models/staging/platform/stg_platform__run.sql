select
    run_id,
    mode,
    account,
    strategy,
    ts_start,
    ts_end,
    status,
    inputs,
    `settings`,
    feature_set_hash,
    model
from {{ source('platform', 'run') }} final
