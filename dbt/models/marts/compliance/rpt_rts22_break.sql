-- noqa: disable=LT05
-- What is wrong with a reportable trade, rule by rule; and every trade that nobody decided about.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(trade_id, field, rule_id)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

trades as (
    select
        *,
        count() over (partition by f04_executing_entity, f02_transaction_reference) as repeats
    from {{ ref("rpt_rts22_transaction") }}
    where {{ report_days("report_date") }}
),

judged as (
    select
        report_date,
        trade_id,
        order_id,
        signal_id,
        arrayJoin(arrayFilter(rule -> tupleElement(rule, 5), [
            tuple('41', 'reference_instrument', 'error', concat(source, ' ', symbol), not has_instrument),
            tuple('04', 'reference_account', 'error', account, reportable and not has_account),
            tuple('57', 'reference_person', 'error', strategy, reportable and not has_person),
            tuple('02', 'reference_form', 'error', f02_transaction_reference, reportable and (not match(f02_transaction_reference, '^[A-Z0-9]{1,52}$'))),
            tuple('02', 'reference_unique', 'error', f02_transaction_reference, reportable and (repeats > 1)),
            tuple('01', 'status_code', 'error', f01_report_status, reportable and (f01_report_status not in ('NEWT', 'CANC'))),
            tuple('04', 'executing_lei', 'error', f04_executing_entity, reportable and (not {{ is_lei('f04_executing_entity') }})),
            tuple('04', 'executing_lei_renewed', 'error', toString(executing_lei_until), reportable and (executing_lei_until < report_date)),
            tuple('05', 'firm_flag', 'error', f05_investment_firm, reportable and (f05_investment_firm not in ('true', 'false'))),
            tuple('06', 'submitting_lei', 'error', f06_submitting_entity, reportable and (not {{ is_lei('f06_submitting_entity') }})),
            tuple('06', 'submitting_lei_renewed', 'error', toString(submitter_lei_until), reportable and (submitter_lei_until < report_date)),
            tuple('07', 'buyer_id', 'error', f07_buyer_id, reportable and (not {{ is_lei('f07_buyer_id') }})),
            tuple('16', 'seller_id', 'error', f16_seller_id, reportable and (not {{ is_lei('f16_seller_id') }})),
            tuple('07', 'client_lei_renewed', 'error', toString(client_lei_until), reportable and (client_lei_until < report_date)),
            tuple('16', 'counterparty_lei_renewed', 'warning', toString(counterparty_lei_until), reportable and (counterparty_lei_until < report_date)),
            tuple('16', 'buyer_is_not_seller', 'error', f16_seller_id, reportable and (f07_buyer_id = f16_seller_id)),
            tuple('25', 'transmission_flag', 'error', f25_transmission, reportable and (f25_transmission not in ('true', 'false'))),
            tuple('28', 'time_form', 'error', f28_trading_time, reportable and (not match(f28_trading_time, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$'))),
            tuple('28', 'time_of_day', 'error', f28_trading_time, reportable and (substring(f28_trading_time, 1, 10) != toString(report_date))),
            tuple('29', 'capacity_code', 'error', f29_capacity, reportable and (f29_capacity not in ('DEAL', 'MTCH', 'AOTC'))),
            tuple('30', 'quantity_form', 'error', f30_quantity, reportable and (not {{ is_decimal('f30_quantity', 18, 17) }})),
            tuple('30', 'quantity_positive', 'error', f30_quantity, reportable and (toFloat64OrZero(f30_quantity) <= 0)),
            tuple('31', 'quantity_currency', 'error', f31_quantity_currency, reportable and (quantity_notation in ('NOML', 'MONE') and not {{ in_list('f31_quantity_currency', 'currency') }})),
            tuple('33', 'price_form', 'error', f33_price, reportable and (not {{ is_decimal('f33_price', 18, 13) }})),
            tuple('33', 'price_positive', 'warning', f33_price, reportable and (toFloat64OrZero(f33_price) <= 0)),
            tuple('34', 'price_currency', 'error', f34_price_currency, reportable and (price_notation = 'MONE' and not {{ in_list('f34_price_currency', 'currency') }})),
            tuple('35', 'net_amount_form', 'error', f35_net_amount, reportable and (f35_net_amount != '' and not {{ is_decimal('f35_net_amount', 18, 5) }})),
            tuple('36', 'venue_mic', 'error', f36_venue, reportable and (not {{ in_list('f36_venue', 'mic') }})),
            tuple('41', 'isin_check_digit', 'error', f41_instrument_id, reportable and (f41_instrument_id != '' and not {{ is_isin('f41_instrument_id') }})),
            tuple('41', 'isin_or_description', 'error', concat(f41_instrument_id, '|', f42_instrument_name), reportable and ((f41_instrument_id = '') = (f42_instrument_name = ''))),
            tuple('41', 'isin_on_venue', 'error', f36_venue, reportable and (f41_instrument_id = '' and f36_venue not in ('XXXX', 'XOFF'))),
            tuple('43', 'cfi_form', 'error', f43_classification, reportable and (f41_instrument_id = '' and not match(f43_classification, '^[A-Z]{6}$'))),
            tuple('44', 'notional_currency_1', 'error', f44_notional_currency_1, reportable and (f44_notional_currency_1 != '' and not {{ in_list('f44_notional_currency_1', 'currency') }})),
            tuple('45', 'notional_currency_2', 'error', f45_notional_currency_2, reportable and (f45_notional_currency_2 != '' and not {{ in_list('f45_notional_currency_2', 'currency') }})),
            tuple('46', 'price_multiplier', 'error', f46_price_multiplier, reportable and (f41_instrument_id = '' and not {{ is_decimal('f46_price_multiplier', 18, 17) }})),
            tuple('47', 'underlying_isin', 'error', f47_underlying_id, reportable and (f47_underlying_id != '' and not {{ is_isin('f47_underlying_id') }})),
            tuple('47', 'underlying_given', 'error', concat(f47_underlying_id, '|', f48_underlying_index), reportable and (f41_instrument_id = '' and f47_underlying_id = '' and f48_underlying_index = '')),
            tuple('48', 'index_length', 'error', f48_underlying_index, reportable and (lengthUTF8(f48_underlying_index) > 25)),
            tuple('50', 'option_type', 'error', f50_option_type, reportable and (startsWith(f43_classification, 'O') and f50_option_type not in ('PUTO', 'CALL', 'OTHR'))),
            tuple('51', 'strike_form', 'error', f51_strike, reportable and (startsWith(f43_classification, 'O') and not {{ is_decimal('f51_strike', 18, 13) }})),
            tuple('53', 'option_style', 'error', f53_option_style, reportable and (startsWith(f43_classification, 'O') and f53_option_style not in ('EURO', 'AMER', 'ASIA', 'BERM', 'OTHR'))),
            tuple('54', 'maturity_form', 'error', f54_maturity, reportable and (f54_maturity != '' and not match(f54_maturity, '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'))),
            tuple('55', 'expiry_form', 'error', f55_expiry, reportable and (f55_expiry != '' and not match(f55_expiry, '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'))),
            tuple('55', 'not_expired', 'error', f55_expiry, reportable and (f55_expiry != '' and coalesce(toDateOrNull(f55_expiry) < report_date, false))),
            tuple('56', 'delivery_code', 'error', f56_delivery, reportable and (f41_instrument_id = '' and f56_delivery not in ('PHYS', 'CASH', 'OPTL'))),
            tuple('57', 'decision_given', 'error', f57_investment_decision, reportable and (f29_capacity = 'DEAL' and f57_investment_decision = '')),
            tuple('57', 'decision_length', 'error', f57_investment_decision, reportable and (decision_kind = 'ALGO' and length(f57_investment_decision) > 50)),
            tuple('58', 'decision_country', 'error', f58_decision_country, reportable and (decision_kind = 'PERSON' and f57_investment_decision != '' and not {{ in_list('f58_decision_country', 'country') }})),
            tuple('59', 'execution_given', 'error', f59_execution, reportable and (f59_execution = '')),
            tuple('59', 'execution_length', 'error', f59_execution, reportable and (execution_kind = 'ALGO' and length(f59_execution) > 50)),
            tuple('60', 'execution_country', 'error', f60_execution_country, reportable and (execution_kind = 'PERSON' and not {{ in_list('f60_execution_country', 'country') }})),
            tuple('65', 'financing_flag', 'error', f65_securities_financing, reportable and (f65_securities_financing not in ('true', 'false'))),
            {%- for number, name, reason in rts22_fields() if number in (3, 8, 12, 17, 21, 35, 37, 61, 62, 63) %}
                tuple('{{ '%02d' % number }}', 'field_missing', '{{ "error" if number in (8, 12, 17, 21, 35, 37) else "warning" }}', '{{ name }}', reportable and {{ name }} = '' and ({{ reason }}) = ''),
            {%- endfor %}
            tuple('', 'no_lineage', 'warning', signal_id, reportable and ({{ is_untraced('signal_id') }}))
        ])) as broken
    from trades
)

select
    cast(report_date as Date) as report_date,
    cast(trade_id as String) as trade_id,
    cast(tupleElement(broken, 1) as String) as field,
    cast(tupleElement(broken, 2) as String) as rule_id,
    cast(tupleElement(broken, 3) as String) as severity,
    cast(tupleElement(broken, 4) as String) as value,
    cast(order_id as String) as order_id,
    cast(signal_id as String) as signal_id
from judged
