select
    check_id,
    suite,
    table_name,
    run_id,
    ts_event,
    ts_init,
    status,
    severity,
    observed,
    expected,
    rows_checked,
    rows_failed,
    detail
from {{ source('platform', 'check_result') }} final
