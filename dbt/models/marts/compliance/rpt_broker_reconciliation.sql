-- noqa: disable=LT05
-- Ours against the broker's last statement of the day: deals, positions, money. A deal of which a later
-- statement says something else counts as it is told now.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(account, item, item_key)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

statements as (
    select
        statement_date as report_date,
        account as account,
        max(ts_init) as ts_taken,
        argMax(ts_event, ts_init) as ts_holds,
        argMax(balance, ts_init) as balance,
        argMax(currency, ts_init) as currency
    from {{ source("compliance", "broker_account") }}
    where {{ in_mode() }} and {{ report_days("statement_date") }}
    group by statement_date, account
),

fills as (
    select *
    from {{ ref("stg_execution__order_event") }}
    where {{ in_mode() }} and kind in ('partially_filled', 'filled', 'closed')
),

our_deals as (
    select
        statements.report_date as report_date,
        statements.account as account,
        fills.venue_deal as deal,
        any(fills.symbol) as symbol,
        any(fills.order_id) as order_id,
        any(fills.signal_id) as signal_id,
        any(fills.side) as side,
        sum(fills.volume) as volume,
        any(fills.price) as price,
        sum(fills.commission) as commission,
        sum(fills.swap) as swap,
        sum(fills.profit) as profit
    from statements
    inner join fills on statements.account = fills.account
    where toDate(fills.ts_event, 'UTC') = statements.report_date
    group by statements.report_date, statements.account, fills.venue_deal
),

each_told as (
    select
        statements.report_date as report_date,
        deals.account as account,
        deals.deal as deal,
        statements.ts_taken as ts_said,
        deals.position as position,
        deals.kind as kind,
        deals.entry as entry,
        deals.symbol as symbol,
        deals.ts_event as ts_event,
        deals.volume as volume,
        deals.price as price,
        deals.commission as commission,
        deals.swap as swap,
        deals.profit as profit
    from {{ source("compliance", "broker_deal") }} as deals
    inner join statements
        on deals.statement_date = statements.report_date and deals.account = statements.account and deals.ts_init = statements.ts_taken
    where deals.mode = '{{ var("mode") }}'
    union all
    select
        statements.report_date as report_date,
        changes.account as account,
        changes.deal as deal,
        changes.ts_known as ts_said,
        changes.position as position,
        changes.kind as kind,
        changes.entry as entry,
        changes.symbol as symbol,
        changes.ts_event as ts_event,
        changes.volume as volume,
        changes.price as price,
        changes.commission as commission,
        changes.swap as swap,
        changes.profit as profit
    from {{ source("compliance", "broker_correction") }} as changes
    inner join statements on changes.account = statements.account
    where
        changes.mode = '{{ var("mode") }}' and changes.change != 'withdrawal' and changes.ts_known > statements.ts_taken
        and toDate(changes.ts_event, 'UTC') <= statements.report_date
),

told as (
    select
        report_date,
        account,
        deal,
        argMax(each_told.position, ts_said) as position,
        argMax(each_told.kind, ts_said) as kind,
        argMax(each_told.entry, ts_said) as entry,
        argMax(each_told.symbol, ts_said) as symbol,
        argMax(each_told.ts_event, ts_said) as ts_event,
        argMax(each_told.volume, ts_said) as volume,
        argMax(each_told.price, ts_said) as price,
        argMax(each_told.commission, ts_said) as commission,
        argMax(each_told.swap, ts_said) as swap,
        argMax(each_told.profit, ts_said) as profit
    from each_told
    group by report_date, account, deal
),

their_deals as (
    select *
    from told
    where kind != 'balance' and toDate(ts_event, 'UTC') = report_date
),

deal_rows as (
    select
        coalesce(nullIf(o.report_date, toDate(0)), t.report_date) as report_date,
        coalesce(nullIf(o.account, ''), t.account) as account,
        'deal' as item,
        toString(greatest(coalesce(o.deal, 0), coalesce(t.deal, 0))) as item_key,
        coalesce(nullIf(o.symbol, ''), t.symbol) as symbol,
        coalesce(o.profit + o.commission + o.swap, 0) as ours,
        coalesce(t.profit + t.commission + t.swap, 0) as theirs,
        multiIf(
            coalesce(t.deal, 0) = 0, 'missing at the broker',
            coalesce(o.deal, 0) = 0, 'missing here',
            o.side != t.kind, 'side differs',
            abs(o.volume - t.volume) > 1e-8, 'volume differs',
            abs(o.price - t.price) > 1e-8, 'price differs',
            abs(o.commission - t.commission) > 0.005, 'commission differs',
            abs(o.swap - t.swap) > 0.005, 'swap differs',
            abs(o.profit - t.profit) > 0.005, 'profit differs',
            'matched'
        ) as status,
        coalesce(o.order_id, '') as order_id,
        coalesce(o.signal_id, '') as signal_id
    from our_deals as o
    full outer join their_deals as t on o.report_date = t.report_date and o.account = t.account and o.deal = t.deal
),

-- Strategies that share a netting account's position have one each, of a number that is no ticket: they are compared
-- as their sum, by the symbol.
our_positions as (
    select
        statements.report_date as report_date,
        statements.account as account,
        if(fills.venue_position >= 4503599627370496, concat('all of ', fills.symbol), toString(fills.venue_position)) as ticket,
        any(fills.symbol) as symbol,
        round(sum(if(fills.side = 'buy', fills.volume, -fills.volume)), 8) as volume,
        argMin(fills.order_id, fills.seq) as order_id,
        argMin(fills.signal_id, fills.seq) as signal_id
    from statements
    inner join fills on statements.account = fills.account
    where fills.ts_event <= statements.ts_holds
    group by statements.report_date, statements.account, ticket
    having volume != 0
),

their_positions as (
    select
        statements.report_date as report_date,
        positions.account as account,
        if(
            (statements.report_date, positions.account, concat('all of ', positions.symbol))
            in (
                select
                    our_positions.report_date,
                    our_positions.account,
                    our_positions.ticket
                from our_positions
            ),
            concat('all of ', positions.symbol),
            toString(positions.position)
        ) as ticket,
        positions.symbol as symbol,
        positions.volume as volume
    from {{ source("compliance", "broker_position") }} as positions
    inner join statements
        on positions.statement_date = statements.report_date and positions.account = statements.account and positions.ts_init = statements.ts_taken
    where positions.mode = '{{ var("mode") }}'
),

position_rows as (
    select
        coalesce(nullIf(o.report_date, toDate(0)), t.report_date) as report_date,
        coalesce(nullIf(o.account, ''), t.account) as account,
        'position' as item,
        coalesce(nullIf(o.ticket, ''), t.ticket) as item_key,
        coalesce(nullIf(o.symbol, ''), t.symbol) as symbol,
        coalesce(o.volume, 0) as ours,
        coalesce(t.volume, 0) as theirs,
        multiIf(
            coalesce(t.ticket, '') = '', 'missing at the broker', coalesce(o.ticket, '') = '', 'missing here',
            abs(o.volume - t.volume) > 1e-8, 'volume differs', 'matched'
        ) as status,
        coalesce(o.order_id, '') as order_id,
        coalesce(o.signal_id, '') as signal_id
    from our_positions as o
    full outer join their_positions as t on o.report_date = t.report_date and o.account = t.account and o.ticket = t.ticket
),

our_money as (
    select
        statements.report_date as report_date,
        statements.account as account,
        arrayJoin([
            tuple('commission', sumIf(fills.commission, toDate(fills.ts_event, 'UTC') = statements.report_date)),
            tuple('swap', sumIf(fills.swap, toDate(fills.ts_event, 'UTC') = statements.report_date)),
            tuple('profit', sumIf(fills.profit, toDate(fills.ts_event, 'UTC') = statements.report_date)),
            tuple('balance change', sumIf(fills.commission + fills.swap + fills.profit, fills.ts_event <= statements.ts_holds))
        ]) as amount
    from statements
    left join fills on statements.account = fills.account
    group by statements.report_date, statements.account
),

their_money as (
    select
        statements.report_date as report_date,
        statements.account as account,
        arrayJoin([
            tuple('commission', sumIf(told.commission, told.kind != 'balance' and toDate(told.ts_event, 'UTC') = statements.report_date)),
            tuple('swap', sumIf(told.swap, told.kind != 'balance' and toDate(told.ts_event, 'UTC') = statements.report_date)),
            tuple('profit', sumIf(told.profit, told.kind != 'balance' and toDate(told.ts_event, 'UTC') = statements.report_date)),
            tuple('balance change', any(statements.balance) - sumIf(told.profit, told.kind = 'balance'))
        ]) as amount
    from statements
    left join told on statements.report_date = told.report_date and statements.account = told.account
    group by statements.report_date, statements.account
),

money_rows as (
    select
        o.report_date as report_date,
        o.account as account,
        'money' as item,
        tupleElement(o.amount, 1) as item_key,
        '' as symbol,
        {{ stable("tupleElement(o.amount, 2)") }} as ours,
        {{ stable("tupleElement(t.amount, 2)") }} as theirs,
        if(abs(ours - theirs) < 0.005, 'matched', 'amount differs') as status,
        '' as order_id,
        '' as signal_id
    from our_money as o
    inner join their_money as t
        on o.report_date = t.report_date and o.account = t.account and tupleElement(o.amount, 1) = tupleElement(t.amount, 1)
),

unasked as (
    select
        toDate(ts_event, 'UTC') as report_date,
        account,
        'statement' as item,
        '' as item_key,
        '' as symbol,
        toFloat64(count()) as ours,
        0. as theirs,
        'no statement of the broker' as status,
        '' as order_id,
        '' as signal_id
    from fills
    where {{ report_days("toDate(ts_event, 'UTC')") }}
    group by report_date, account
    having (report_date, account) not in (select
        report_date,
        account
    from statements)
),

all_rows as (
    select * from unasked
    union all
    select * from deal_rows
    union all
    select * from position_rows
    union all
    select * from money_rows
)

select
    cast(report_date as Date) as report_date,
    cast(account as String) as account,
    cast(item as String) as item,
    cast(item_key as String) as item_key,
    cast(symbol as String) as symbol,
    cast(ours as Float64) as ours,
    cast(theirs as Float64) as theirs,
    cast(ours - theirs as Float64) as difference,
    cast(status as String) as status,
    cast(if(status = 'matched', '', 'error') as String) as severity,
    cast(order_id as String) as order_id,
    cast(signal_id as String) as signal_id
from all_rows
