-- Where client money differs from what the broker states, or could not be compared; and a day with fills of an account that
-- nobody compared.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="(account, item)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

fills as (
    select
        account,
        toDate(ts_event, 'UTC') as fill_date
    from {{ ref("int_order_event_told") }}
    where {{ in_mode() }} and kind in ('partially_filled', 'filled', 'closed')
),

unseen as (
    select distinct
        fill_date as report_date,
        account as account,
        'all' as item,
        'not compared' as status,
        'error' as severity,
        'operations' as owner,
        fill_date as since,
        toUInt16(0) as age_days
    from fills
    where
        {{ report_days("fill_date") }}
        and (fill_date, account) not in (select
            compared.report_date,
            compared.account
        from {{ ref("rpt_client_money") }} as compared)
),

differing as (
    select
        report_date,
        account,
        item,
        status,
        severity,
        owner,
        since,
        age_days
    from {{ ref("rpt_client_money") }}
    where {{ report_days("report_date") }} and status != 'matched'
),

every as (
    select * from differing
    union all
    select * from unseen
)

select
    cast(report_date as Date) as report_date,
    cast(account as String) as account,
    cast(item as String) as item,
    cast(status as String) as status,
    cast(severity as String) as severity,
    cast(owner as String) as owner,
    cast(since as Date) as since,
    cast(age_days as UInt16) as age_days
from every
