select
    run_id,
    mode,
    account,
    strategy,
    source,
    symbol,
    ts_event,
    seq,
    ts_init,
    model,
    feature_set_hash,
    p_down,
    p_flat,
    p_up,
    confidence,
    prediction_id
from {{ source('decision', 'prediction') }} final
