-- What was held from when to when; the last row of a symbol has no end.
select
    run_id,
    mode,
    account,
    strategy,
    source,
    symbol,
    seq,
    ts_event as ts_from,
    nullIf(
        leadInFrame(ts_event, 1, toDateTime64(0, 6, 'UTC')) over (
            partition by run_id, account, strategy, source, symbol
            order by seq asc rows between unbounded preceding and unbounded following
        ),
        toDateTime64(0, 6, 'UTC')
    ) as ts_to,
    volume,
    price,
    stop_price,
    profit_realised
from {{ ref("stg_execution__position") }}
