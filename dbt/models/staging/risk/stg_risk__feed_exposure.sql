select
    run_id,
    mode,
    account,
    strategy,
    ts_event,
    source,
    symbol,
    lots,
    exposure,
    correlated,
    contribution,
    sigma,
    mid
from {{ source('risk', 'feed_exposure') }} final
