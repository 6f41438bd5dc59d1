-- noqa: disable=AM04
-- What may have to be reported of each day at trade and at position level: fills, what became of contracts through them, and
-- contracts that stay open. Which of the two levels counts, the reference data say (rpt_emir_report).
{{ config(materialized="view", contract={"enforced": false}, tags=["compliance"]) }}

with

contracts as (
    select * from {{ ref("int_emir_contract") }}
),

-- Delegated Regulation (EU) 2022/1855, field 152: each fill of a ticket, by what it does to the contract. Article 3(2): a trade
-- that goes into a position on its own day is a component of it.
opening as (
    select
        *,
        lots_before = 0 or abs(lots_after) > abs(lots_before) as opens
    from contracts
),

fill_events as (
    select
        * except (kept_as, opens),
        multiIf(level = 'position', 'POSC', lots_before = 0, 'NEWT', lots_after = 0, 'TERM', 'MODI') as action,
        if(level = 'position' or opens, 'TRAD', 'ETRM') as event_type,
        -- Of a ticket the average of what opened it so far.
        sum(if(opens, abs(signed_lots) * price, 0)) over so_far / sum(if(opens, abs(signed_lots), 0)) over so_far as average_price,
        if(level = 'position', price, average_price) as contract_price,
        multiIf(level = 'position', signed_lots, lots_after = 0, lots_before, lots_after) as contract_lots
    from opening
    window so_far as (
        partition by account, source, symbol, level, ticket, life order by ts_event asc, seq asc
        rows between unbounded preceding and current row
    )
),

-- A position's state: before the day, after its first fill, and at its end.
position_days as (
    select
        contracts.account as account,
        contracts.source as source,
        contracts.symbol as symbol,
        contracts.life as life,
        contracts.level as level,
        contracts.ticket as ticket,
        days.report_date as event_day,
        arraySort(groupArray(tuple(
            contracts.ts_event, contracts.seq, contracts.signed_lots, contracts.price, contracts.report_date = days.report_date
        ))) as fills,
        argMax(
            tuple(
                contracts.mode, contracts.run_id, contracts.strategy, contracts.order_id, contracts.signal_id, contracts.seq,
                contracts.ts_event, contracts.venue_deal, contracts.report_date, contracts.first_deal, contracts.first_seq,
                contracts.first_run, contracts.ts_opened
            ),
            tuple(contracts.ts_event, contracts.seq)
        ) as last_fill
    from contracts
    cross join {{ emir_days() }} as days
    where contracts.report_date <= days.report_date and contracts.closed_on >= days.report_date
    group by account, source, symbol, life, level, ticket, event_day
),

running as (
    select
        *,
        arrayMap(fill -> tuple(tupleElement(fill, 3), tupleElement(fill, 4)), fills) as all_fills,
        toUInt64(countEqual(arrayMap(fill -> tupleElement(fill, 5), fills), true)) as fills_today,
        arrayMap(held -> round(held, 8), arrayCumSum(arrayMap(fill -> tupleElement(fill, 3), fills))) as lots,
        arrayMap(
            (before, after, fill) -> multiIf(
                before = 0 or before * after < 0, toFloat64(0),
                before * tupleElement(fill, 1) > 0, before / after,
                toFloat64(1)
            ),
            arrayPopBack(arrayPushFront(lots, toFloat64(0))), lots, all_fills
        ) as kept,
        arrayCumSum(arrayMap(share -> if(share = 0, toFloat64(0), log(share)), kept)) as logs
    from position_days
),

states as (
    select
        *,
        {{ average_at("length(fills)") }} as at_end,
        {{ average_at("(length(fills) - fills_today)") }} as before_day,
        {{ average_at("least(length(fills) - fills_today + 1, length(fills))") }} as after_first
    from running
),

-- One report of the day's change, at its end: several changes of a position within a day are one. What is opened and closed
-- on one day is told as both.
changes as (
    select
        *,
        arrayJoin(arrayFilter(change -> tupleElement(change, 4), [
            tuple('NEWT', 'INCP', if(tupleElement(at_end, 1) = 0, after_first, at_end), fills_today = length(fills) and fills_today > 0),
            tuple('MODI', 'INCP', at_end, fills_today between 1 and length(fills) - 1 and tupleElement(at_end, 1) != 0),
            tuple('TERM', 'ETRM', if(fills_today = length(fills), after_first, before_day), fills_today > 0 and tupleElement(at_end, 1) = 0),
            tuple('VALU', '', at_end, tupleElement(at_end, 1) != 0)
        ])) as change
    from states
),

positions as (
    select
        *,
        if(tupleElement(change, 1) = 'VALU' and level = 'trade', 'TCTN', 'PSTN') as report_level
    from changes
    where level = 'position' or tupleElement(change, 1) = 'VALU'
)

select
    mode,
    run_id,
    strategy,
    order_id,
    signal_id,
    seq,
    ts_event,
    venue_deal,
    account,
    source,
    symbol,
    level,
    ticket,
    report_date,
    action,
    event_type,
    'TCTN' as report_level,
    contract_price,
    contract_lots,
    first_deal,
    first_seq,
    first_run,
    if(action = 'POSC', ts_event, ts_opened) as ts_opened
from fill_events
union all
select
    tupleElement(last_fill, 1),
    tupleElement(last_fill, 2),
    tupleElement(last_fill, 3),
    tupleElement(last_fill, 4),
    tupleElement(last_fill, 5),
    tupleElement(last_fill, 6),
    tupleElement(last_fill, 7),
    tupleElement(last_fill, 8),
    account,
    source,
    symbol,
    level,
    ticket,
    event_day,
    tupleElement(change, 1),
    tupleElement(change, 2),
    report_level,
    tupleElement(tupleElement(change, 3), 2),
    tupleElement(tupleElement(change, 3), 1),
    tupleElement(last_fill, 10),
    tupleElement(last_fill, 11),
    tupleElement(last_fill, 12),
    tupleElement(last_fill, 13)
from positions
