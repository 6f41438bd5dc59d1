-- noqa: disable=AM04,LT05
-- EMIR trade activity and valuations, draft layout: what is reported of each fill and position as the fields of tables 1 and 2
-- of Delegated Regulation (EU) 2022/1855, or excluded with the reason. emir_fields.sql has all fields and why one is empty.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="(account, ts_event, record_id)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

events as (
    select
        *,
        '*' as anything
    from {{ ref("int_emir_event") }}
    where {{ report_days("report_date") }}
),

{{ with_reference_data("events") }},

{{ with_emir_reference("referenced") }},

-- The last quote that stood before a day's end.
quotes as (
    select
        days.report_date as quote_day,
        bars.source as quote_source,
        bars.symbol as quote_symbol,
        max(bars.ts_open) as ts_bar,
        argMax((toFloat64(bars.bid_close) + toFloat64(bars.ask_close)) / 2, bars.ts_open) as mid
    from {{ ref("stg_market__bar") }} as bars
    cross join {{ emir_days() }} as days
    where
        bars.bar_interval = '1m'
        and bars.ts_open >= toDateTime(days.report_date, 'UTC') - interval 5 day
        and bars.ts_open < toDateTime(days.report_date, 'UTC') + interval 1 day
    group by quote_day, quote_source, quote_symbol
),

-- Of the two levels the one that the parties report at. What is excluded or undecided is told once, fill by fill.
chosen as (
    select
        referenced_emir.*,
        quotes.mid as mid,
        quotes.ts_bar as ts_bar,
        has_instrument and coalesce(reportable_emir, false) as is_reported,
        if(coalesce(units_per_lot, 0) > 0, coalesce(units_per_lot, 0), 1) * if(coalesce(price_multiplier, 0) > 0, coalesce(price_multiplier, 0), 1) as units,
        -- Article 4(3) of 2022/1855: below the clearing threshold no valuation is due of a non-financial counterparty.
        coalesce(client_nature, '') = 'N' and not coalesce(client_above, false) as is_exempt
    from referenced_emir
    left join quotes
        on
            referenced_emir.report_date = quotes.quote_day and referenced_emir.source = quotes.quote_source
            and referenced_emir.symbol = quotes.quote_symbol
    where
        if(is_reported, level = if(coalesce(emir_level, '') = '', 'trade', emir_level), level = 'trade' and action != 'VALU')
        and (action != 'VALU' or not is_exempt)
),

-- Implementing Regulation (EU) 2022/1860, article 7(3) to (5): who generates the UTI. A stage before the parties goes first,
-- then whom they agreed upon or delegated it to, then the financial one, the one above the threshold, the first LEI read backwards.
generated as (
    select
        *,
        multiIf(
            coalesce(uti_stage, '') != '', '',
            coalesce(agreed_lei, '') != '', agreed_lei,
            client_nature = 'F' and other_nature = 'N', client_lei,
            client_nature = 'N' and other_nature = 'F', counterparty_lei,
            client_nature = 'N' and other_nature = 'N' and client_above and not other_above, client_lei,
            client_nature = 'N' and other_nature = 'N' and other_above and not client_above, counterparty_lei,
            reverse(coalesce(client_lei, '')) < reverse(coalesce(counterparty_lei, '')), client_lei,
            counterparty_lei
        ) as generator,
        coalesce(generator, '') != '' and generator in (coalesce(client_lei, ''), coalesce(executing_lei, '')) as is_ours,
        -- A component is a trade of its own; what lives longer goes by its first deal.
        concat(mode, '|', first_run, '|', account, '|', source, '|', symbol, '|position|', toString(first_deal), '|', toString(first_seq)) as position_key,
        multiIf(
            action = 'POSC', concat(mode, '|', run_id, '|', account, '|', source, '|', symbol, '|component|', toString(venue_deal), '|', toString(seq)),
            level = 'position', position_key,
            concat(mode, '|', first_run, '|', account, '|', source, '|', symbol, '|trade|', toString(first_deal), '|', toString(first_seq))
        ) as contract_key,
        multiIf(action = 'POSC', toString(venue_deal), level = 'position', concat('P', toString(first_deal)), toString(first_deal)) as uti_ticket,
        concat('P', toString(first_deal)) as position_ticket
    from chosen
),

numbered as (
    select
        generated.*,
        if(coalesce(told.uti, '') != '', told.uti, if(is_ours, concat(generator, 'TH', upper(substring(hex(SHA256(contract_key)), 1, 30))), '')) as uti,
        if(coalesce(of_position.uti, '') != '', of_position.uti, if(is_ours, concat(generator, 'TH', upper(substring(hex(SHA256(position_key)), 1, 30))), '')) as position_uti
    from generated
    left join {{ ref("int_uti_told") }} as told
        on generated.account = told.ref_account and generated.source = told.ref_source and generated.uti_ticket = told.ref_ticket
    left join {{ ref("int_uti_told") }} as of_position
        on generated.account = of_position.ref_account and generated.source = of_position.ref_source and generated.position_ticket = of_position.ref_ticket
),

written as (
    select
        *,
        abs(contract_lots) * units as quantity,
        {{ decimal_text("contract_price") }} as price_text,
        {{ amount_text("abs(contract_lots) * units") }} as quantity_text,
        {{ amount_text("abs(contract_lots) * units * contract_price") }} as notional_text,
        formatDateTime(ts_opened, '%Y-%m-%dT%H:%i:%SZ', 'UTC') as time_opened,
        formatDateTime(ts_event, '%Y-%m-%dT%H:%i:%SZ', 'UTC') as time_of_fill,
        if(
            action = 'VALU' and coalesce(mid, 0) > 0,
            concat(if(contract_lots * (coalesce(mid, 0) - contract_price) < 0, '-', ''), {{ amount_text("contract_lots * units * (coalesce(mid, 0) - contract_price)") }}), ''
        ) as valuation,
        formatDateTime(least(ts_bar + interval 1 minute, toDateTime(report_date, 'UTC') + interval 86399 second), '%Y-%m-%dT%H:%i:%SZ', 'UTC') as quoted_at
    from numbered
)

select
    cast(report_date as Date) as report_date,
    cast(concat('TE', upper(substring(hex(SHA256(concat(contract_key, '|', toString(report_date), '|', action, '|', if(report_level = 'TCTN' and action != 'VALU', toString(seq), '')))), 1, 30))) as String) as record_id,
    cast(is_reported as Bool) as reportable,
    cast(if(has_instrument, coalesce(reason_emir, ''), concat('undecided: no reference data for ', symbol, ' of ', source, ' on this date')) as String) as reportable_reason,
    cast('draft-1' as String) as layout_version,
    cast(coalesce(regime, '') as String) as regime,
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast(source as String) as source,
    cast(symbol as String) as symbol,
    cast(order_id as String) as order_id,
    cast(signal_id as String) as signal_id,
    cast(venue_deal as UInt64) as venue_deal,
    cast(seq as UInt64) as journal_seq,
    cast(ts_event as DateTime64(6, 'UTC')) as ts_event,
    cast(contract_key as String) as contract_key,
    cast(multiIf(action = 'POSC', 1, action = 'NEWT', 2, action = 'MODI', 3, action = 'TERM', 4, 5) as UInt8) as sequence,
    cast(coalesce(generator, '') as String) as uti_generator,
    cast(has_instrument as Bool) as has_instrument,
    cast(has_account as Bool) as has_account,
    cast(has_emir_account as Bool) as has_emir_account,
    cast(has_emir_parties as Bool) as has_emir_parties,
    cast(has_emir_instrument as Bool) as has_emir_instrument,
    cast(coalesce(instrument_since, toDate(0)) as Date) as instrument_since,
    cast(coalesce(client_until, toDate(0)) as Date) as counterparty_1_lei_until,
    cast(coalesce(counterparty_until, toDate(0)) as Date) as counterparty_2_lei_until,
    cast(coalesce(submitter_lei, '') as String) as t1_02_report_submitting_entity,
    cast(coalesce(responsible_lei, '') as String) as t1_03_entity_responsible,
    cast(coalesce(client_lei, '') as String) as t1_04_counterparty_1,
    cast(if(action = 'VALU', '', coalesce(client_nature, '')) as String) as t1_05_nature_1,
    cast(if(action = 'VALU', '', coalesce(client_sector, '')) as String) as t1_06_sector_1,
    cast(if(action = 'VALU', '', if(client_nature in ('F', 'N'), if(client_above, 'true', 'false'), '')) as String) as t1_07_threshold_1,
    cast('true' as String) as t1_08_counterparty_2_by_lei,
    cast(coalesce(counterparty_lei, '') as String) as t1_09_counterparty_2,
    cast(if(action = 'VALU', '', coalesce(other_nature, '')) as String) as t1_11_nature_2,
    cast(if(action = 'VALU', '', coalesce(other_sector, '')) as String) as t1_12_sector_2,
    cast(if(action = 'VALU', '', if(other_nature in ('F', 'N'), if(other_above, 'true', 'false'), '')) as String) as t1_13_threshold_2,
    cast(if(action = 'VALU', '', if(coalesce(other_nature, '') = '', '', if(other_obligated, 'true', 'false'))) as String) as t1_14_obligation_2,
    cast(if(contract_lots > 0, 'BYER', 'SLLR') as String) as t1_17_direction,
    cast(if(regime = 'UK', coalesce(execution_agent_lei, ''), '') as String) as t1_21_execution_agent,
    cast(uti as String) as t2_001_uti,
    cast(if(action = 'POSC', position_uti, '') as String) as t2_004_subsequent_position_uti,
    cast(if(action = 'VALU', '', coalesce(isin, '')) as String) as t2_007_isin,
    cast(if(action = 'VALU', '', if(coalesce(isin, '') = '', coalesce(upi, ''), '')) as String) as t2_008_upi,
    cast(if(action = 'VALU', '', coalesce(cfi, '')) as String) as t2_009_cfi,
    cast(coalesce(contract_type, '') as String) as t2_010_contract_type,
    cast(coalesce(asset_class, '') as String) as t2_011_asset_class,
    cast(if(action = 'VALU', '', if(coalesce(contract_type, '') = '', '', if(crypto, 'true', 'false'))) as String) as t2_012_crypto,
    cast(if(action = 'VALU', '', coalesce(underlying_kind, '')) as String) as t2_013_underlying_type,
    cast(if(action = 'VALU', '', coalesce(underlying_isin, '')) as String) as t2_014_underlying_id,
    cast(if(action = 'VALU', '', coalesce(underlying_index, '')) as String) as t2_016_underlying_index_name,
    cast(if(action = 'VALU', '', coalesce(settlement_currency, '')) as String) as t2_019_settlement_currency_1,
    cast(valuation as String) as t2_021_valuation_amount,
    cast(if(valuation = '', '', coalesce(price_currency, '')) as String) as t2_022_valuation_currency,
    cast(if(valuation = '', '', quoted_at) as String) as t2_023_valuation_timestamp,
    cast(multiIf(valuation = '', '', coalesce(uti_stage, '') = 'ccp', '', 'MTMA') as String) as t2_024_valuation_method,
    cast(if(action = 'VALU', '', if(coalesce(collateral, '') = '', '', if(portfolio_code != '', 'true', 'false'))) as String) as t2_026_portfolio_indicator,
    cast(if(action = 'VALU', '', coalesce(portfolio_code, '')) as String) as t2_027_portfolio_code,
    cast(if(action in ('NEWT', 'POSC') and report_level = 'TCTN' and coalesce(confirmed, 'NCNF') != 'NCNF', time_of_fill, '') as String) as t2_028_confirmation_timestamp,
    cast(if(action in ('NEWT', 'POSC') and report_level = 'TCTN', coalesce(confirmed, ''), '') as String) as t2_029_confirmed,
    cast(if(action = 'VALU', '', coalesce(clearing_obligation, '')) as String) as t2_030_clearing_obligation,
    cast(if(action = 'VALU', '', multiIf(coalesce(regime, '') = '', '', uti_stage = 'ccp', 'Y', 'N')) as String) as t2_031_cleared,
    cast(if(action = 'VALU', '', coalesce(agreement, '')) as String) as t2_034_master_agreement,
    cast(if(action = 'VALU', '', coalesce(agreement_other, '')) as String) as t2_035_other_master_agreement,
    cast(if(action = 'VALU', '', coalesce(agreement_year, '')) as String) as t2_036_master_agreement_version,
    cast(if(action = 'VALU', '', if(coalesce(regime, '') = '', '', if(intragroup, 'true', 'false'))) as String) as t2_037_intragroup,
    cast(if(action = 'VALU', '', 'false') as String) as t2_038_ptrr,
    cast(if(action = 'VALU', '', coalesce(venue, '')) as String) as t2_041_venue,
    cast(if(action = 'VALU', '', time_opened) as String) as t2_042_execution_timestamp,
    cast(if(action = 'VALU', '', substring(time_opened, 1, 10)) as String) as t2_043_effective_date,
    cast(if(action = 'VALU', '', coalesce(expiry, '')) as String) as t2_044_expiration_date,
    cast(if(action = 'TERM', toString(report_date), '') as String) as t2_045_early_termination_date,
    cast(if(action = 'VALU', '', coalesce(delivery, '')) as String) as t2_047_delivery,
    cast(if(action = 'VALU', '', price_text) as String) as t2_048_price,
    cast(if(action = 'VALU', '', if(price_notation = 'MONE', coalesce(price_currency, ''), '')) as String) as t2_049_price_currency,
    cast(if(action = 'VALU', '', notional_text) as String) as t2_055_notional_1,
    cast(if(action = 'VALU', '', coalesce(price_currency, '')) as String) as t2_056_notional_currency_1,
    cast(if(action = 'VALU', '', quantity_text) as String) as t2_060_quantity_1,
    cast(if(action = 'VALU', '', coalesce(base_product, '')) as String) as t2_116_base_product,
    cast(if(action = 'VALU', '', coalesce(sub_product, '')) as String) as t2_117_sub_product,
    cast(if(action = 'VALU', '', coalesce(further_sub_product, '')) as String) as t2_118_further_sub_product,
    cast(if(is_reported, action, '') as String) as t2_151_action_type,
    cast(if(is_reported, event_type, '') as String) as t2_152_event_type,
    cast(toString(report_date) as String) as t2_153_event_date,
    cast(report_level as String) as t2_154_level,
    cast(coalesce(price_notation, '') as String) as price_notation,
    cast(coalesce(collateral, '') as String) as collateral,
    cast(coalesce(portfolio_code, '') as String) as portfolio
from written
