-- An order is the fold of its events: one row per order, whatever became of it; of one that waits, what it waits for.
with

orders as (
    select
        run_id,
        mode,
        account,
        strategy,
        order_id,
        any(signal_id) as order_signal_id,
        any(source) as order_source,
        any(symbol) as order_symbol,
        argMinIf(side, seq, kind != 'closed') as order_side,
        argMinIf(purpose, seq, kind != 'closed') as order_purpose,
        min(ts_event) as ts_first,
        max(ts_event) as ts_last,
        minIf(ts_init, kind = 'submitted') as ts_submitted,
        maxIf(ts_event, kind in ('partially_filled', 'filled')) as ts_filled,
        argMinIf(volume, seq, kind not in ('partially_filled', 'filled', 'closed')) as volume_asked,
        {{ stable("sumIf(volume, kind in ('partially_filled', 'filled'))") }} as volume_filled,
        argMinIf(price, seq, kind in ('submitted', 'denied')) as price_asked,
        {{ stable("sumIf(price * volume, kind in ('partially_filled', 'filled'))") }} as volume_price,
        argMinIf(arrival_mid, seq, arrival_mid > 0) as arrival_mid_journalled,
        argMaxIf(kind, seq, kind != 'closed') as status,
        argMaxIf(reason, seq, kind in ('denied', 'rejected', 'cancelled', 'expired', 'superseded')) as refusal,
        argMaxIf(limits_version, seq, kind = 'denied') as denied_limits_version,
        argMaxIf(limit_value, seq, kind = 'denied') as denied_limit,
        argMaxIf(observed, seq, kind = 'denied') as denied_observed,
        {{ stable("sumIf(commission, kind != 'closed')") }} as order_commission,
        {{ stable("sumIf(swap, kind != 'closed')") }} as order_swap,
        {{ stable("sumIf(profit, kind != 'closed')") }} as order_profit,
        count() as events
    from {{ ref("int_order_event_told") }}
    -- What the broker did by itself is no order; a stop that moved changes nothing of one.
    where kind not in ('booked', 'stop_moving', 'stop_moved', 'stop_kept', 'cancelling', 'modifying', 'modified', 'unmodified')
    group by run_id, mode, account, strategy, order_id
)

select
    orders.*,
    coalesce(nullIf(waiting.waiting_type, ''), 'market') as order_type,
    coalesce(waiting.waiting_name, '') as order_name
from orders
left join {{ ref("int_waiting_signal") }} as waiting
    on
        orders.run_id = waiting.waiting_run and orders.order_signal_id = waiting.waiting_signal
        -- A position is closed under the signal that opened it, at the market.
        and orders.order_purpose = 'entry'
