-- noqa: disable=LT05
-- What is wrong with an EMIR report, rule by rule, and who has to mend it; and every trade that nobody decided about.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="(record_id, field, rule_id)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

-- What of the fields is wanted and empty; the time of sending (1.1) is not ours; UTIs and valuations have rules of their own.
wanted as (
    select
        *,
        arrayFilter(field -> tupleElement(field, 3), [
            {%- for table, number, name, held, reason, supply in emir_fields() if (table, number) not in ((1, 1), (2, 1), (2, 4), (2, 21), (2, 22), (2, 23), (2, 24)) %}
                tuple('{{ table }}.{{ number }}', '{{ name }}', {{ (name ~ " = ''") if held else "true" }} and ({{ reason }}) = ''){{ "," if not loop.last }}
            {%- endfor %}
        ]) as missing_fields
    from {{ ref("rpt_emir_report") }}
    where {{ report_days("report_date") }}
),

reports as (
    select
        *,
        uniqExact(contract_key) over (partition by report_date, t2_001_uti) as contracts_of_uti,
        countIf(t2_151_action_type in ('NEWT', 'POSC')) over (partition by report_date, t2_001_uti) as beginnings
    from wanted
),

told_twice as (
    select uti
    from {{ ref("int_uti_told") }}
    group by uti
    having uniqExact(ref_account, ref_source, ref_ticket) > 1
),

judged as (
    select
        report_date,
        record_id,
        order_id,
        signal_id,
        arrayJoin(arrayConcat(
            if(reportable, arrayMap(field -> tuple(tupleElement(field, 1), 'field_missing', 'error', tupleElement(field, 2), true), missing_fields), []),
            arrayFilter(rule -> tupleElement(rule, 5), [
                tuple('2.7', 'reference_instrument', 'error', concat(source, ' ', symbol), not has_instrument and toUInt16(instrument_since) = 0),
                tuple('2.7', 'trade_before_instrument', 'error', toString(instrument_since), not has_instrument and toUInt16(instrument_since) > 0),
                tuple('1.4', 'reference_account', 'error', account, reportable and not has_account),
                tuple('2.154', 'reference_emir_account', 'error', account, reportable and not has_emir_account),
                tuple('1.5', 'reference_emir_party', 'error', concat(t1_04_counterparty_1, ' ', t1_09_counterparty_2), reportable and has_account and not has_emir_parties),
                tuple('2.10', 'reference_emir_instrument', 'error', concat(source, ' ', symbol), reportable and not has_emir_instrument),
                tuple('2.10', 'contract_covered', 'error', t2_010_contract_type, reportable and has_emir_instrument and t2_010_contract_type != 'CFDS'),
                tuple('', 'regime_covered', 'error', regime, reportable and has_emir_account and regime not in ('EU', 'UK')),
                tuple('1.2', 'submitter_lei', 'error', t1_02_report_submitting_entity, reportable and t1_02_report_submitting_entity != '' and not {{ is_lei('t1_02_report_submitting_entity') }}),
                tuple('1.3', 'responsible_lei', 'error', t1_03_entity_responsible, reportable and t1_03_entity_responsible != '' and not {{ is_lei('t1_03_entity_responsible') }}),
                tuple('1.4', 'counterparty_1_lei', 'error', t1_04_counterparty_1, reportable and t1_04_counterparty_1 != '' and not {{ is_lei('t1_04_counterparty_1') }}),
                tuple('1.4', 'counterparty_1_lei_renewed', 'error', toString(counterparty_1_lei_until), reportable and t1_04_counterparty_1 != '' and counterparty_1_lei_until < report_date),
                tuple('1.9', 'counterparty_2_lei', 'error', t1_09_counterparty_2, reportable and t1_09_counterparty_2 != '' and not {{ is_lei('t1_09_counterparty_2') }}),
                tuple('1.9', 'counterparty_2_lei_renewed', 'warning', toString(counterparty_2_lei_until), reportable and t1_09_counterparty_2 != '' and counterparty_2_lei_until < report_date),
                tuple('1.9', 'counterparties_differ', 'error', t1_09_counterparty_2, reportable and t1_04_counterparty_1 != '' and t1_04_counterparty_1 = t1_09_counterparty_2),
                tuple('1.21', 'execution_agent_lei', 'error', t1_21_execution_agent, reportable and t1_21_execution_agent != '' and not {{ is_lei('t1_21_execution_agent') }}),
                tuple('2.1', 'uti_given', 'error', uti_generator, reportable and t2_001_uti = ''),
                tuple('2.1', 'uti_form', 'error', t2_001_uti, reportable and t2_001_uti != '' and not {{ is_uti('t2_001_uti') }}),
                tuple('2.1', 'uti_generator', 'error', t2_001_uti, reportable and t2_001_uti != '' and uti_generator != '' and substring(t2_001_uti, 1, 20) != uti_generator),
                tuple('2.1', 'uti_unique', 'error', t2_001_uti, reportable and t2_001_uti != '' and (contracts_of_uti > 1 or beginnings > 1 or t2_001_uti in (select uti from told_twice))),
                tuple('2.4', 'position_uti_given', 'error', '', reportable and t2_151_action_type = 'POSC' and t2_004_subsequent_position_uti = ''),
                tuple('2.7', 'isin_check_digit', 'error', t2_007_isin, reportable and t2_007_isin != '' and not {{ is_isin('t2_007_isin') }}),
                tuple('2.7', 'isin_on_venue', 'error', t2_041_venue, reportable and t2_007_isin = '' and t2_041_venue not in ('', 'XXXX')),
                tuple('2.8', 'upi_check_character', 'error', t2_008_upi, reportable and t2_008_upi != '' and not {{ is_upi('t2_008_upi') }}),
                tuple('2.9', 'cfi_form', 'error', t2_009_cfi, reportable and t2_009_cfi != '' and not match(t2_009_cfi, '^[A-Z]{6}$')),
                tuple('2.14', 'underlying_isin', 'error', t2_014_underlying_id, reportable and t2_014_underlying_id != '' and not {{ is_isin('t2_014_underlying_id') }}),
                tuple('2.16', 'index_length', 'error', t2_016_underlying_index_name, reportable and lengthUTF8(t2_016_underlying_index_name) > 50),
                tuple('2.19', 'settlement_currency', 'error', t2_019_settlement_currency_1, reportable and t2_019_settlement_currency_1 != '' and not {{ in_list('t2_019_settlement_currency_1', 'currency') }}),
                tuple('2.21', 'valuation_given', 'error', symbol, reportable and t2_151_action_type = 'VALU' and t2_021_valuation_amount = ''),
                tuple('2.21', 'valuation_form', 'error', t2_021_valuation_amount, reportable and t2_021_valuation_amount != '' and not {{ is_decimal('t2_021_valuation_amount', 25, 5) }}),
                tuple('2.23', 'valuation_fresh', 'warning', t2_023_valuation_timestamp, reportable and t2_023_valuation_timestamp != '' and substring(t2_023_valuation_timestamp, 1, 10) < toString(report_date)),
                tuple('2.41', 'venue_mic', 'error', t2_041_venue, reportable and t2_041_venue != '' and not {{ in_list('t2_041_venue', 'mic') }}),
                tuple('2.48', 'price_form', 'error', t2_048_price, reportable and t2_048_price != '' and not {{ is_decimal('t2_048_price', 18, 13) }}),
                tuple('2.49', 'price_currency', 'error', t2_049_price_currency, reportable and t2_049_price_currency != '' and not {{ in_list('t2_049_price_currency', 'currency') }}),
                tuple('2.55', 'notional_form', 'error', t2_055_notional_1, reportable and t2_055_notional_1 != '' and not {{ is_decimal('t2_055_notional_1', 25, 5) }}),
                tuple('2.55', 'notional_positive', 'error', t2_055_notional_1, reportable and t2_055_notional_1 != '' and toFloat64OrZero(t2_055_notional_1) <= 0),
                tuple('2.56', 'notional_currency', 'error', t2_056_notional_currency_1, reportable and t2_056_notional_currency_1 != '' and not {{ in_list('t2_056_notional_currency_1', 'currency') }}),
                tuple('2.60', 'quantity_form', 'error', t2_060_quantity_1, reportable and t2_060_quantity_1 != '' and not {{ is_decimal('t2_060_quantity_1', 25, 5) }}),
                tuple('2.44', 'not_expired', 'error', t2_044_expiration_date, reportable and t2_044_expiration_date != '' and coalesce(toDateOrNull(t2_044_expiration_date) < report_date, true)),
                tuple('2.116', 'commodity_covered', 'error', concat(t2_116_base_product, ' ', t2_117_sub_product), reportable and t2_116_base_product != '' and tuple(t2_116_base_product, t2_117_sub_product) not in (('METL', 'PRME'), ('METL', 'NPRM'))),
                tuple('2.152', 'event_matrix', 'error', concat(t2_151_action_type, ' ', t2_152_event_type, ' ', t2_154_level), reportable and tuple(t2_151_action_type, t2_152_event_type, t2_154_level) not in (
                    ('NEWT', 'TRAD', 'TCTN'), ('MODI', 'TRAD', 'TCTN'), ('MODI', 'ETRM', 'TCTN'), ('TERM', 'ETRM', 'TCTN'), ('POSC', 'TRAD', 'TCTN'),
                    ('NEWT', 'INCP', 'PSTN'), ('MODI', 'INCP', 'PSTN'), ('TERM', 'ETRM', 'PSTN'), ('VALU', '', 'TCTN'), ('VALU', '', 'PSTN')
                )),
                tuple('', 'no_lineage', 'warning', signal_id, reportable and t2_151_action_type != 'VALU' and ({{ is_untraced('signal_id') }}))
            ])
        )) as broken
    from reports
),

margins as (
    select
        report_date,
        record_id,
        order_id,
        signal_id,
        arrayJoin(arrayConcat(
            arrayFilter(field -> tupleElement(field, 5), [
                {%- for table, number, name, held, reason, supply in emir_margin_fields() if number not in (1, 7, 12, 13, 14) %}
                    tuple('3.{{ number }}', 'field_missing', 'warning', '{{ name }}', {{ (name ~ " = ''") if held else "true" }} and ({{ reason }}) = ''){{ "," if not loop.last }}
                {%- endfor %}
            ]),
            arrayFilter(rule -> tupleElement(rule, 5), [
                tuple('3.11', 'collateral_category', 'error', t3_11_category, t3_11_category not in ('UNCL', 'PRC1', 'PRC2', 'PRCL', 'OWC1', 'OWC2', 'OWP1', 'OWP2', 'FLCL')),
                tuple('3.12', 'margin_given', 'error', account, t3_11_category in ('OWC1', 'OWP1', 'FLCL') and t3_12_initial_posted_before_haircut = ''),
                tuple('3.12', 'margin_form', 'error', t3_12_initial_posted_before_haircut, t3_12_initial_posted_before_haircut != '' and not {{ is_decimal('t3_12_initial_posted_before_haircut', 25, 5) }}),
                tuple('3.14', 'margin_currency', 'error', t3_14_initial_posted_currency, t3_14_initial_posted_currency != '' and not {{ in_list('t3_14_initial_posted_currency', 'currency') }}),
                tuple('3.7', 'margin_fresh', 'warning', t3_07_collateral_timestamp, t3_07_collateral_timestamp != '' and substring(t3_07_collateral_timestamp, 1, 10) < toString(report_date))
            ])
        )) as broken
    from {{ ref("rpt_emir_margin") }}
    where {{ report_days("report_date") }}
),

all_broken as (
    select *
    from judged
    union all
    select *
    from margins
)

select
    cast(report_date as Date) as report_date,
    cast(record_id as String) as record_id,
    cast(tupleElement(broken, 1) as String) as field,
    cast(tupleElement(broken, 2) as String) as rule_id,
    cast(tupleElement(broken, 3) as String) as severity,
    cast(tupleElement(broken, 4) as String) as value,
    cast(multiIf(
        rule_id like 'reference%' or rule_id in ('trade_before_instrument', 'field_missing', 'contract_covered', 'commodity_covered', 'regime_covered'), 'reference data',
        rule_id like '%lei%' or rule_id like 'uti%' or rule_id = 'position_uti_given', 'compliance',
        rule_id like 'valuation%', 'market data',
        rule_id like 'margin%', 'operations',
        'operations'
    ) as String) as owner,
    cast(order_id as String) as order_id,
    cast(signal_id as String) as signal_id
from all_broken
