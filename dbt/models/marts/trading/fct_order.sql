{{ config(order_by="(run_id, source, symbol, ts_first, order_id)", tags=["intraday"]) }}

select
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast(order_id as String) as order_id,
    cast(order_signal_id as String) as signal_id,
    cast(order_source as String) as source,
    cast(order_symbol as String) as symbol,
    cast({{ trading_day("ts_first") }} as Date) as trading_day,
    cast(order_side as String) as side,
    cast(order_purpose as String) as purpose,
    cast(status as String) as status,
    cast(refusal as String) as refusal,
    cast(ts_first as DateTime64(6, 'UTC')) as ts_first,
    cast(if({{ missing("ts_submitted") }}, null, ts_submitted) as Nullable(DateTime64(6, 'UTC'))) as ts_submitted,
    cast(if({{ missing("ts_filled") }}, null, ts_filled) as Nullable(DateTime64(6, 'UTC'))) as ts_filled,
    cast(volume_asked as Float64) as volume_asked,
    cast(volume_filled as Float64) as volume_filled,
    cast(price_asked as Float64) as price_asked,
    cast(if(volume_filled > 0, volume_price / volume_filled, null) as Nullable(Float64)) as price_filled,
    cast(order_commission as Float64) as commission,
    cast(order_swap as Float64) as swap,
    cast(order_profit as Float64) as profit,
    cast(events as UInt64) as events,
    cast(order_type as String) as order_type,
    cast(order_name as String) as order_name
from {{ ref("int_order_lifecycle") }}
where {{ in_mode() }}
