-- noqa: disable=AM04
-- Every fill with the reference data that held on its day, reportable or not.
{{ config(materialized="view", contract={"enforced": false}, tags=["compliance"]) }}

with

fills as (
    select
        *,
        '*' as anything,
        toDate(ts_event, 'UTC') as report_date,
        -- What the account holds of the instrument after the fill: below 0 it is short.
        sum(if(side = 'buy', volume, -volume)) over (
            partition by account, source, symbol order by ts_event asc, seq asc
            rows between unbounded preceding and current row
        ) as held_after
    from {{ ref("int_order_event_told") }}
    where {{ in_mode() }} and kind in ('partially_filled', 'filled', 'closed')
),

{{ with_reference_data("fills") }}

select *
from referenced
