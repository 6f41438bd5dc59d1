{#-
    Common table expressions that add what EMIR asks beyond `with_reference_data`: of the account (its own row, else that of
    every account), the instrument, both counterparties, who is responsible, who was agreed upon for the UTI and who executes on the party's behalf. What comes
    out is named `referenced_emir`.
-#}
{% macro with_emir_reference(rows) -%}
emir_own as (
    select
        {{ rows }}.*,
        own.ref_version as emir_own_version,
        tuple({{ emir_terms("own") }}) as emir_own_terms
    from {{ rows }}
    asof left join {{ ref("int_reference_emir_account") }} as own
        on {{ rows }}.account = own.ref_account and {{ rows }}.source = own.ref_source and {{ rows }}.report_date >= own.ref_from
),

emir_terms as (
    select
        emir_own.*,
        greatest(coalesce(emir_own.emir_own_version, 0), coalesce(every.ref_version, 0)) > 0 as has_emir_account,
        if(coalesce(emir_own.emir_own_version, 0) > 0, emir_own.emir_own_terms, tuple({{ emir_terms("every") }})) as emir_values
    from emir_own
    asof left join {{ ref("int_reference_emir_account") }} as every
        on emir_own.anything = every.ref_account and emir_own.anything = every.ref_source and emir_own.report_date >= every.ref_from
),

emir_named as (
    select
        emir_terms.*,
        {%- for name in ["regime", "emir_level", "responsible", "uti_stage", "uti_agreed", "portfolio_code", "collateral", "agreement",
            "agreement_other", "agreement_year", "confirmed", "intragroup", "execution_agent"] %}
            tupleElement(emir_terms.emir_values, {{ loop.index }}) as {{ name }},
        {%- endfor %}
        if(responsible = '', tupleElement(emir_terms.roles, 2), responsible) as responsible_party,
        tupleElement(emir_terms.roles, 2) as client_party,
        tupleElement(emir_terms.roles, 3) as other_party
    from emir_terms
),

emir_instruments as (
    select
        emir_named.*,
        coalesce(kinds.ref_version, 0) > 0 as has_emir_instrument,
        kinds.* except (ref_source, ref_symbol, ref_from, ref_version)
    from emir_named
    asof left join {{ ref("int_reference_emir_instrument") }} as kinds
        on emir_named.source = kinds.ref_source and emir_named.symbol = kinds.ref_symbol and emir_named.report_date >= kinds.ref_from
),

emir_clients as (
    select
        emir_instruments.*,
        coalesce(natures.ref_version, 0) > 0 as has_client_nature,
        natures.nature as client_nature,
        natures.sector as client_sector,
        natures.above_threshold as client_above
    from emir_instruments
    asof left join {{ ref("int_reference_emir_party") }} as natures
        on emir_instruments.client_party = natures.ref_party and emir_instruments.report_date >= natures.ref_from
),

emir_others as (
    select
        emir_clients.*,
        emir_clients.has_client_nature and coalesce(natures.ref_version, 0) > 0 as has_emir_parties,
        natures.nature as other_nature,
        natures.sector as other_sector,
        natures.above_threshold as other_above,
        natures.obligated as other_obligated
    from emir_clients
    asof left join {{ ref("int_reference_emir_party") }} as natures
        on emir_clients.other_party = natures.ref_party and emir_clients.report_date >= natures.ref_from
),

emir_responsibles as (
    select
        emir_others.*,
        parties.lei as responsible_lei
    from emir_others
    asof left join {{ ref("int_reference_party") }} as parties
        on emir_others.responsible_party = parties.ref_party and emir_others.report_date >= parties.ref_from
),

emir_agreed as (
    select
        emir_responsibles.*,
        parties.lei as agreed_lei
    from emir_responsibles
    asof left join {{ ref("int_reference_party") }} as parties
        on emir_responsibles.uti_agreed = parties.ref_party and emir_responsibles.report_date >= parties.ref_from
),

emir_agents as (
    select
        emir_agreed.*,
        parties.lei as execution_agent_lei
    from emir_agreed
    asof left join {{ ref("int_reference_party") }} as parties
        on emir_agreed.execution_agent = parties.ref_party and emir_agreed.report_date >= parties.ref_from
),

first_known as (
    select
        ref_source,
        ref_symbol,
        min(ref_from) as instrument_since
    from {{ ref("int_reference_instrument") }}
    group by ref_source, ref_symbol
),

referenced_emir as (
    select
        emir_agents.*,
        first_known.instrument_since as instrument_since
    from emir_agents
    left join first_known on emir_agents.source = first_known.ref_source and emir_agents.symbol = first_known.ref_symbol
)
{%- endmacro %}

{#- Columns of reference_emir_account in one order. -#}
{% macro emir_terms(alias) -%}
    {%- for name in ["regime", "level", "responsible", "uti_stage", "uti_agreed", "portfolio_code", "collateral", "agreement",
        "agreement_other", "agreement_year", "confirmed", "intragroup", "execution_agent"] -%}
        {{ alias }}.{{ name }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
