-- A trade is a position of the venue from its first opening fill to its last closing one.
{{ config(order_by="(run_id, source, symbol, ts_open, venue_position)", tags=["intraday"]) }}

with

positions as (
    select
        run_id,
        mode,
        account,
        venue_position,
        any(strategy) as position_strategy,
        any(source) as position_source,
        any(symbol) as position_symbol,
        argMinIf(order_id, seq, opens) as entry_order,
        argMinIf(signal_id, seq, opens) as entry_signal,
        argMinIf(side, seq, opens) as entry_side,
        argMaxIf(purpose, seq, not opens) as last_exit,
        minIf(ts_event, opens) as opened_at,
        maxIf(ts_event, not opens) as closed_at,
        {{ stable("sumIf(volume, opens)") }} as opened,
        {{ stable("sumIf(volume, not opens)") }} as closed,
        {{ stable("sumIf(volume * price, opens)") }} as opened_price,
        {{ stable("sumIf(volume * price, not opens)") }} as closed_price,
        {{ stable("sum(profit)") }} as gross,
        {{ stable("sum(commission)") }} as commissions,
        {{ stable("sum(swap)") }} as swaps,
        count() as fill_count
    from {{ ref("int_fill") }}
    where {{ in_mode() }}
    group by run_id, mode, account, venue_position
),

residues as (
    select
        run_id as residue_run,
        account as residue_account,
        venue_position as residue_position,
        {{ stable("sum(profit)") }} as residue
    from {{ ref("int_residue") }}
    where venue_position != 0 and {{ in_mode() }}
    group by run_id, account, venue_position
)

select
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(position_strategy as String) as strategy,
    cast(position_source as String) as source,
    cast(position_symbol as String) as symbol,
    cast(venue_position as UInt64) as venue_position,
    cast(entry_order as String) as order_id,
    cast(entry_signal as String) as signal_id,
    cast(entry_side as String) as side,
    cast({{ trading_day("opened_at") }} as Date) as trading_day,
    cast(opened_at as DateTime64(6, 'UTC')) as ts_open,
    cast(if(closed = 0, null, closed_at) as Nullable(DateTime64(6, 'UTC'))) as ts_close,
    cast(closed > 0 and abs(opened - closed) < 1e-9 as Bool) as is_closed,
    cast(last_exit as String) as exit_purpose,
    cast(opened as Float64) as volume,
    cast(opened_price / nullIf(opened, 0) as Nullable(Float64)) as price_open,
    cast(closed_price / nullIf(closed, 0) as Nullable(Float64)) as price_close,
    cast(gross + coalesce(residues.residue, 0) as Float64) as profit_gross,
    cast(commissions as Float64) as commission,
    cast(swaps as Float64) as swap,
    cast(gross + coalesce(residues.residue, 0) + commissions + swaps as Float64) as profit_net,
    cast(fill_count as UInt64) as fills
from positions
left join residues
    on
        positions.run_id = residues.residue_run and positions.account = residues.residue_account
        and positions.venue_position = residues.residue_position
