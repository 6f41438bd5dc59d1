-- In a replay the mid that execution journalled is the one the ticks show at that moment. Live, a
-- tick may reach the warehouse with a later stamp than the decision, so there it only says how far.
select
    run_id,
    source,
    symbol,
    trading_day,
    mid_difference_max
from {{ ref("fct_execution_quality") }}
where mode = 'replay' and purpose = 'entry' and mid_difference_max > 1e-3
