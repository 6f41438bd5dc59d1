-- Every fill twice: as part of its position (everything an account holds of an instrument) and of its trade (one ticket of the
-- venue). A contract lives from a fill out of nothing until nothing is held; what is opened then is another contract.
{{ config(materialized="view", contract={"enforced": false}, tags=["compliance"]) }}

with

fills as (
    select
        mode,
        run_id,
        account,
        source,
        symbol,
        strategy,
        order_id,
        signal_id,
        seq,
        ts_event,
        venue_deal,
        toDate(ts_event, 'UTC') as report_date,
        price,
        if(side = 'buy', volume, -volume) as signed_lots,
        arrayJoin([('position', ''), ('trade', toString(venue_position))]) as kept_as
    from {{ ref("int_order_event_told") }}
    where {{ in_mode() }} and kind in ('partially_filled', 'filled', 'closed')
),

held as (
    select
        *,
        tupleElement(kept_as, 1) as level,
        tupleElement(kept_as, 2) as ticket,
        round(sum(signed_lots) over (
            partition by account, source, symbol, kept_as order by ts_event asc, seq asc
            rows between unbounded preceding and current row
        ), 8) as lots_after
    from fills
),

lives as (
    select
        *,
        round(lots_after - signed_lots, 8) as lots_before,
        countIf(lots_after = 0) over (
            partition by account, source, symbol, kept_as order by ts_event asc, seq asc
            rows between unbounded preceding and current row
        ) - if(lots_after = 0, 1, 0) as life
    from held
)

select
    *,
    first_value(venue_deal) over (
        partition by account, source, symbol, kept_as, life order by ts_event asc, seq asc
        rows between unbounded preceding and unbounded following
    ) as first_deal,
    first_value(seq) over (
        partition by account, source, symbol, kept_as, life order by ts_event asc, seq asc
        rows between unbounded preceding and unbounded following
    ) as first_seq,
    first_value(run_id) over (
        partition by account, source, symbol, kept_as, life order by ts_event asc, seq asc
        rows between unbounded preceding and unbounded following
    ) as first_run,
    first_value(ts_event) over (
        partition by account, source, symbol, kept_as, life order by ts_event asc, seq asc
        rows between unbounded preceding and unbounded following
    ) as ts_opened,
    -- The day on which nothing was held any more; of what is open the last day there is.
    if(
        last_value(lots_after) over (
            partition by account, source, symbol, kept_as, life order by ts_event asc, seq asc
            rows between unbounded preceding and unbounded following
        ) = 0,
        last_value(report_date) over (
            partition by account, source, symbol, kept_as, life order by ts_event asc, seq asc
            rows between unbounded preceding and unbounded following
        ),
        toDate('2149-06-06')
    ) as closed_on
from lives
