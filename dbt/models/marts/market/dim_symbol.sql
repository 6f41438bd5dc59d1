{{ config(order_by="(source, symbol)", tags=["intraday"]) }}

select
    cast(instrument_source as String) as source,
    cast(instrument_symbol as String) as symbol,
    cast(current_from as Date) as valid_from,
    cast(current_description as String) as description,
    cast(current_digits as UInt8) as digits,
    cast(pow(10, -toInt16(current_digits)) as Float64) as point,
    cast(current_contract_size as Float64) as contract_size,
    cast(current_base as String) as base,
    cast(current_quote as String) as quote,
    cast(current_volume_min as Float64) as volume_min,
    cast(current_volume_max as Float64) as volume_max,
    cast(current_volume_step as Float64) as volume_step,
    cast(current_margin_rate as Float64) as margin_rate,
    cast(current_commission as Float64) as commission,
    cast(current_session as String) as session
from {{ ref("int_instrument_current") }}
