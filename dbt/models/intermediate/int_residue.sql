-- Where strategies share the positions of a netting account: what each earned by its own average price beyond what
-- its deals realised by the account's, and the same the other way round on the name `netting`.
select
    run_id,
    mode,
    account,
    strategy,
    source,
    symbol,
    venue_position,
    {{ trading_day("ts_event") }} as trading_day,
    profit
from {{ ref("stg_execution__order_event") }}
where kind = 'booked' and purpose = 'residue'
