select
    run_id,
    mode,
    process,
    incarnation,
    heartbeat,
    stage,
    ts_event,
    bucket,
    upper_ns,
    `count` as bucket_count,
    max_ns
from {{ source('platform', 'stage_latency') }} final
