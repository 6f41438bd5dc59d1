{#-
    Common table expressions that give rows the reference data that held on their day: of the account (its own row, else that
    of every account), the instrument, the strategy and the four parties. The rows have account, source, symbol, strategy,
    report_date and anything ('*'); what comes out is named `referenced`.
-#}
{% macro with_reference_data(rows) -%}
own_terms as (
    select
        {{ rows }}.*,
        own.ref_version as own_version,
        tuple(own.executing_party, own.client_party, own.counterparty, own.submitter, own.investment_firm, own.capacity, own.branch_country, own.mandate)
            as own_roles
    from {{ rows }}
    asof left join {{ ref("int_reference_account") }} as own
        on {{ rows }}.account = own.ref_account and {{ rows }}.source = own.ref_source and {{ rows }}.report_date >= own.ref_from
),

terms as (
    select
        own_terms.*,
        greatest(coalesce(own_terms.own_version, 0), coalesce(every.ref_version, 0)) > 0 as has_account,
        if(
            coalesce(own_terms.own_version, 0) > 0, own_terms.own_roles,
            tuple(
                every.executing_party,
                every.client_party,
                every.counterparty,
                every.submitter,
                every.investment_firm,
                every.capacity,
                every.branch_country,
                every.mandate
            )
        ) as roles
    from own_terms
    asof left join {{ ref("int_reference_account") }} as every
        on own_terms.anything = every.ref_account and own_terms.anything = every.ref_source and own_terms.report_date >= every.ref_from
),

named as (
    select
        terms.*,
        instruments.ref_version as instrument_version,
        instruments.* except (ref_source, ref_symbol, ref_from, ref_version),
        people.ref_version as person_version,
        people.decision_kind as decision_kind,
        people.decision_id as decision_id,
        people.execution_kind as execution_kind,
        people.execution_id as execution_id,
        people.country as person_country
    from terms
    asof left join {{ ref("int_reference_instrument") }} as instruments
        on terms.source = instruments.ref_source and terms.symbol = instruments.ref_symbol and terms.report_date >= instruments.ref_from
    asof left join {{ ref("int_reference_person") }} as people
        on terms.strategy = people.ref_strategy and terms.report_date >= people.ref_from
),

executing as (
    select
        named.*,
        parties.lei as executing_lei,
        parties.lei_valid_until as executing_until,
        parties.country as executing_country
    from named
    asof left join {{ ref("int_reference_party") }} as parties
        on tupleElement(named.roles, 1) = parties.ref_party and named.report_date >= parties.ref_from
),

with_client as (
    select
        executing.*,
        parties.lei as client_lei,
        parties.lei_valid_until as client_until
    from executing
    asof left join {{ ref("int_reference_party") }} as parties
        on tupleElement(executing.roles, 2) = parties.ref_party and executing.report_date >= parties.ref_from
),

with_counterparty as (
    select
        with_client.*,
        parties.lei as counterparty_lei,
        parties.lei_valid_until as counterparty_until
    from with_client
    asof left join {{ ref("int_reference_party") }} as parties
        on tupleElement(with_client.roles, 3) = parties.ref_party and with_client.report_date >= parties.ref_from
),

referenced as (
    select
        with_counterparty.*,
        parties.lei as submitter_lei,
        parties.lei_valid_until as submitter_until,
        coalesce(with_counterparty.instrument_version, 0) > 0 as has_instrument,
        coalesce(with_counterparty.person_version, 0) > 0 as has_person
    from with_counterparty
    asof left join {{ ref("int_reference_party") }} as parties
        on tupleElement(with_counterparty.roles, 4) = parties.ref_party and with_counterparty.report_date >= parties.ref_from
)
{%- endmacro %}
