-- What each denied entry would have made: in at the quote of the denial, out at the one of its horizon. Not of orders
-- that would have waited for their price: nobody knows whether it would have come in time for them.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="trading_day",
    on_schema_change="fail", order_by="(run_id, rule, limits_version, ts_denied, order_id)",
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

denied as (
    select
        *,
        {{ trading_day("ts_last") }} as trading_day
    from {{ ref("int_order_lifecycle") }}
    where {{ in_mode() }} and status = 'denied' and order_purpose = 'entry' and order_type = 'market' and {{ days_to_build() }}
),

signals as (
    select
        run_id as signal_run,
        signal_id,
        ts_horizon
    from {{ ref("stg_decision__signal") }}
),

with_horizon as (
    select
        denied.*,
        signals.ts_horizon as ts_horizon
    from denied
    inner join signals on denied.run_id = signals.signal_run and denied.order_signal_id = signals.signal_id
),

entered as (
    select
        with_horizon.*,
        quotes.ts_quote as ts_in,
        if(with_horizon.order_side = 'buy', quotes.quote_ask, quotes.quote_bid) as price_in
    from with_horizon
    asof left join {{ ref("int_quote") }} as quotes
        on
            with_horizon.order_source = quotes.quote_source and with_horizon.order_symbol = quotes.quote_symbol
            and with_horizon.ts_last >= quotes.ts_quote
),

left_again as (
    select
        entered.*,
        quotes.ts_quote as ts_out,
        if(entered.order_side = 'buy', quotes.quote_bid, quotes.quote_ask) as price_out
    from entered
    asof left join {{ ref("int_quote") }} as quotes
        on
            entered.order_source = quotes.quote_source and entered.order_symbol = quotes.quote_symbol
            and entered.ts_horizon >= quotes.ts_quote
),

judged as (
    select
        left_again.*,
        state.day_rows as day_rows,
        instruments.current_quote as quote_currency,
        instruments.current_contract_size as contract_size,
        instruments.current_commission as lot_commission,
        not {{ missing("ts_in") }}
        and coalesce(feeds.ts_end >= left_again.ts_horizon, false)
        and coalesce(left_again.ts_out >= subtractSeconds(left_again.ts_horizon, {{ var("gap_s") }}), false) as is_known,
        if(left_again.order_side = 'buy', 1, -1) * (price_out - price_in) as price_move
    from left_again
    left join {{ ref("int_feed_end") }} as feeds
        on left_again.order_source = feeds.feed_source and left_again.order_symbol = feeds.feed_symbol
    left join {{ ref("int_instrument_current") }} as instruments
        on
            left_again.order_source = instruments.instrument_source
            and left_again.order_symbol = instruments.instrument_symbol
    inner join {{ ref("int_day_state") }} as state on left_again.trading_day = state.state_day
)

select
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast(order_source as String) as source,
    cast(order_symbol as String) as symbol,
    cast(order_id as String) as order_id,
    cast(order_signal_id as String) as signal_id,
    cast(trading_day as Date) as trading_day,
    cast(ts_last as DateTime64(6, 'UTC')) as ts_denied,
    cast(refusal as String) as rule,
    cast(denied_limits_version as String) as limits_version,
    cast(denied_limit as Float64) as limit_value,
    cast(denied_observed as Float64) as observed,
    cast(order_side as String) as side,
    cast(volume_asked as Float64) as volume,
    cast(if(is_known, price_in, null) as Nullable(Float64)) as price_in,
    cast(if(is_known, price_out, null) as Nullable(Float64)) as price_out,
    cast(if(is_known, price_move / price_in * 1e4, null) as Nullable(Float64)) as move_bp,
    cast(coalesce(quote_currency, '') as String) as quote_currency,
    cast(if(is_known and coalesce(contract_size, 0) > 0, price_move * volume_asked * contract_size, null) as Nullable(Float64)) as would_have_made,
    cast(if(coalesce(contract_size, 0) > 0, 2 * lot_commission * volume_asked, null) as Nullable(Float64)) as commission_saved,
    cast(day_rows as UInt64) as day_rows
from judged
