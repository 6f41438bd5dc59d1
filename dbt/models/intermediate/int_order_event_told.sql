-- noqa: disable=AM04
-- Order events with their fills as the broker tells them now: another time, price, volume or money when a later statement
-- said so, and `busted`, of no volume, when it took the deal back. Records of orders keep what was journalled.
with

told as (
    select
        run_id as told_run,
        account as told_account,
        journal_seq as told_seq,
        max(fill_version.version) as version,
        argMax(fill_version.kind, fill_version.version) as told_kind,
        argMax(fill_version.ts_event, fill_version.version) as told_at,
        argMax(fill_version.side, fill_version.version) as told_side,
        argMax(fill_version.volume, fill_version.version) as told_volume,
        argMax(fill_version.price, fill_version.version) as told_price,
        argMax(fill_version.commission, fill_version.version) as told_commission,
        argMax(fill_version.swap, fill_version.version) as told_swap,
        argMax(fill_version.profit, fill_version.version) as told_profit
    from {{ source("execution", "fill_version") }} as fill_version
    where fill_version.version > 0
    group by run_id, account, journal_seq
)

select
    e.* except (kind, ts_event, side, volume, price, commission, swap, profit),
    if(coalesce(t.version, 0) = 0, e.kind, if(t.told_kind = 'withdrawal', 'busted', e.kind)) as kind,
    if(coalesce(t.version, 0) = 0, e.ts_event, coalesce(t.told_at, e.ts_event)) as ts_event,
    if(coalesce(t.version, 0) = 0, e.side, coalesce(t.told_side, '')) as side,
    if(coalesce(t.version, 0) = 0, e.volume, coalesce(t.told_volume, 0)) as volume,
    if(coalesce(t.version, 0) = 0, e.price, coalesce(t.told_price, 0)) as price,
    if(coalesce(t.version, 0) = 0, e.commission, coalesce(t.told_commission, 0)) as commission,
    if(coalesce(t.version, 0) = 0, e.swap, coalesce(t.told_swap, 0)) as swap,
    if(coalesce(t.version, 0) = 0, e.profit, coalesce(t.told_profit, 0)) as profit
from {{ ref("stg_execution__order_event") }} as e
left join told as t on e.run_id = t.told_run and e.account = t.told_account and e.seq = t.told_seq
-- A closing that never was is no event of the order that opened the position.
where coalesce(t.version, 0) = 0 or t.told_kind != 'withdrawal' or e.kind != 'closed'
