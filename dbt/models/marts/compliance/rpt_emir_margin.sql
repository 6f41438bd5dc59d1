-- noqa: disable=LT05
-- EMIR margin, draft layout: what is posted at the end of each day for open contracts, by portfolio or, where there is none, by
-- contract, as the fields of table 3 of Delegated Regulation (EU) 2022/1855. emir_margin_fields.sql has why one is empty.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="(account, record_id)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

-- What is valued is what margin is due of: open, reported, and not of a party below the threshold (article 4(3)).
valued as (
    select *
    from {{ ref("rpt_emir_report") }}
    where reportable and t2_151_action_type = 'VALU' and {{ report_days("report_date") }}
),

days as (
    select distinct report_date
    from valued
),

states as (
    select
        days.report_date as state_day,
        stated.account as state_account,
        max(stated.ts_event) as stated_at,
        argMax(stated.margin, tuple(stated.ts_event, stated.seq)) as margin,
        argMax(stated.currency, tuple(stated.ts_event, stated.seq)) as stated_currency
    from {{ ref("stg_execution__account_state") }} as stated
    cross join days
    where
        {{ in_mode("stated.mode", "stated.account") }}
        and stated.ts_event >= toDateTime(days.report_date, 'UTC') - interval 5 day
        and stated.ts_event < toDateTime(days.report_date, 'UTC') + interval 1 day
    group by state_day, state_account
),

margins as (
    select
        valued.* except (record_id, source, order_id, signal_id),
        valued.record_id as valued_id,
        valued.source as valued_source,
        valued.order_id as valued_order,
        valued.signal_id as valued_signal,
        states.stated_at as stated_at,
        states.stated_currency as stated_currency,
        {{ amount_text("coalesce(states.margin, 0)") }} as margin_text,
        valued.portfolio != '' as in_portfolio,
        not {{ missing("states.stated_at") }} as is_stated,
        valued.collateral in ('OWC1', 'OWP1', 'FLCL') as posts_initial,
        if(valued.portfolio != '', concat('portfolio|', valued.portfolio), valued.contract_key) as margin_key
    from valued
    left join states on valued.report_date = states.state_day and valued.account = states.state_account
)

select
    cast(report_date as Date) as report_date,
    cast(concat('TM', upper(substring(hex(SHA256(concat(mode, '|', account, '|', margin_key, '|', toString(report_date)))), 1, 30))) as String) as record_id,
    cast('draft-1' as String) as layout_version,
    cast(regime as String) as regime,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(argMin(valued_source, valued_id) as String) as source,
    cast(count() as UInt64) as contracts,
    cast(argMin(valued_order, valued_id) as String) as order_id,
    cast(argMin(valued_signal, valued_id) as String) as signal_id,
    cast(any(t1_02_report_submitting_entity) as String) as t3_02_report_submitting_entity,
    cast(any(t1_03_entity_responsible) as String) as t3_03_entity_responsible,
    cast(any(t1_04_counterparty_1) as String) as t3_04_counterparty_1,
    cast('true' as String) as t3_05_counterparty_2_by_lei,
    cast(any(t1_09_counterparty_2) as String) as t3_06_counterparty_2,
    cast(if(is_stated, formatDateTime(any(stated_at), '%Y-%m-%dT%H:%i:%SZ', 'UTC'), '') as String) as t3_07_collateral_timestamp,
    cast(if(in_portfolio, 'true', 'false') as String) as t3_08_portfolio_indicator,
    cast(any(portfolio) as String) as t3_09_portfolio_code,
    cast(if(in_portfolio, '', any(t2_001_uti)) as String) as t3_10_uti,
    cast(any(collateral) as String) as t3_11_category,
    cast(if(posts_initial and in_portfolio and is_stated, any(margin_text), '') as String) as t3_12_initial_posted_before_haircut,
    cast(if(posts_initial and in_portfolio and is_stated, any(margin_text), '') as String) as t3_13_initial_posted,
    cast(if(posts_initial and in_portfolio and is_stated, any(stated_currency), '') as String) as t3_14_initial_posted_currency,
    cast('MARU' as String) as t3_28_action_type,
    cast(toString(report_date) as String) as t3_29_event_date,
    cast(any(t1_21_execution_agent) as String) as t3_30_execution_agent
from margins
group by report_date, mode, account, regime, margin_key, in_portfolio, is_stated, posts_initial
