-- Bars for analysts: prices as Float64, the trading day beside the UTC time. A view, so never behind.
-- Filter on bar_interval ('1s', '1m', '5m' or '1h'): the others then stay unread.
{{ config(materialized="view") }}

select
    cast(source as String) as source,
    cast(symbol as String) as symbol,
    cast(bar_interval as String) as bar_interval,
    cast({{ trading_day("ts_open") }} as Date) as trading_day,
    cast(ts_open as DateTime64(6, 'UTC')) as ts_open,
    cast(bid_open as Float64) as open,
    cast(bid_high as Float64) as high,
    cast(bid_low as Float64) as low,
    cast(bid_close as Float64) as close,
    cast(ask_close as Float64) as ask_close,
    cast(spread_max as Float64) as spread_max,
    cast(tick_count as UInt64) as ticks
from {{ ref("stg_market__bar") }}
