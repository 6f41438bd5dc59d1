{#- The fields of table 3 of Delegated Regulation (EU) 2022/1855, as emir_fields() has those of tables 1 and 2. -#}
{% macro emir_margin_fields() -%}
{{ return([
    (3, 1, 't3_01_reporting_timestamp', 0, "''", "the time of sending: who submits sets it"),
    (3, 2, 't3_02_report_submitting_entity', 1, "''", "reference_account.submitter and its LEI"),
    (3, 3, 't3_03_entity_responsible', 1, "''", "reference_emir_account.responsible"),
    (3, 4, 't3_04_counterparty_1', 1, "''", "reference_account.client_party and its LEI"),
    (3, 5, 't3_05_counterparty_2_by_lei', 1, "''", ""),
    (3, 6, 't3_06_counterparty_2', 1, "''", "reference_account.counterparty and its LEI"),
    (3, 7, 't3_07_collateral_timestamp', 1, "if(t3_11_category = 'UNCL', 'not collateralised', '')", "account_state of the account within six days before the day's end"),
    (3, 8, 't3_08_portfolio_indicator', 1, "''", ""),
    (3, 9, 't3_09_portfolio_code', 1, "if(t3_08_portfolio_indicator = 'false', 'not collateralised by portfolio', '')", ""),
    (3, 10, 't3_10_uti', 1, "if(t3_08_portfolio_indicator = 'true', 'of a portfolio, not of a contract', '')", "the contract's UTI"),
    (3, 11, 't3_11_category', 1, "''", "reference_emir_account.collateral"),
    (3, 12, 't3_12_initial_posted_before_haircut', 1, "if(t3_11_category in ('OWC1', 'OWP1', 'FLCL'), '', 'counterparty 1 posts no initial margin under this category')", "account_state.margin, and a portfolio_code: MT5 tells margin by account alone"),
    (3, 13, 't3_13_initial_posted', 1, "if(t3_11_category in ('OWC1', 'OWP1', 'FLCL'), '', 'counterparty 1 posts no initial margin under this category')", "account_state.margin, and a portfolio_code: MT5 tells margin by account alone"),
    (3, 14, 't3_14_initial_posted_currency', 1, "if(t3_11_category in ('OWC1', 'OWP1', 'FLCL'), '', 'counterparty 1 posts no initial margin under this category')", "account_state.currency"),
    (3, 15, 't3_15_variation_posted_before_haircut', 0, "if(t3_11_category in ('PRC1', 'PRCL', 'OWC1', 'OWP1', 'OWP2', 'FLCL'), '', 'counterparty 1 posts no variation margin under this category')", "what was paid as variation margin: MT5 settles open profit when a position is closed"),
    (3, 16, 't3_16_variation_posted', 0, "if(t3_11_category in ('PRC1', 'PRCL', 'OWC1', 'OWP1', 'OWP2', 'FLCL'), '', 'counterparty 1 posts no variation margin under this category')", "what was paid as variation margin: MT5 settles open profit when a position is closed"),
    (3, 17, 't3_17_variation_posted_currency', 0, "if(t3_11_category in ('PRC1', 'PRCL', 'OWC1', 'OWP1', 'OWP2', 'FLCL'), '', 'counterparty 1 posts no variation margin under this category')", "what was paid as variation margin: MT5 settles open profit when a position is closed"),
    (3, 18, 't3_18_excess_posted', 0, "if(t3_11_category = 'UNCL', 'not collateralised', '')", "money on the account beyond the margin in use, if the agreement counts it"),
    (3, 19, 't3_19_excess_posted_currency', 0, "if(t3_11_category = 'UNCL', 'not collateralised', '')", "money on the account beyond the margin in use, if the agreement counts it"),
    (3, 20, 't3_20_initial_collected_before_haircut', 0, "if(t3_11_category in ('OWC2', 'OWP2', 'FLCL'), '', 'counterparty 1 collects no initial margin under this category')", "what counterparty 2 posted: nothing holds it"),
    (3, 21, 't3_21_initial_collected', 0, "if(t3_11_category in ('OWC2', 'OWP2', 'FLCL'), '', 'counterparty 1 collects no initial margin under this category')", "what counterparty 2 posted: nothing holds it"),
    (3, 22, 't3_22_initial_collected_currency', 0, "if(t3_11_category in ('OWC2', 'OWP2', 'FLCL'), '', 'counterparty 1 collects no initial margin under this category')", "what counterparty 2 posted: nothing holds it"),
    (3, 23, 't3_23_variation_collected_before_haircut', 0, "if(t3_11_category in ('PRC2', 'PRCL', 'OWC2', 'OWP1', 'OWP2', 'FLCL'), '', 'counterparty 1 collects no variation margin under this category')", "what counterparty 2 posted: nothing holds it"),
    (3, 24, 't3_24_variation_collected', 0, "if(t3_11_category in ('PRC2', 'PRCL', 'OWC2', 'OWP1', 'OWP2', 'FLCL'), '', 'counterparty 1 collects no variation margin under this category')", "what counterparty 2 posted: nothing holds it"),
    (3, 25, 't3_25_variation_collected_currency', 0, "if(t3_11_category in ('PRC2', 'PRCL', 'OWC2', 'OWP1', 'OWP2', 'FLCL'), '', 'counterparty 1 collects no variation margin under this category')", "what counterparty 2 posted: nothing holds it"),
    (3, 26, 't3_26_excess_collected', 0, "if(t3_11_category in ('UNCL', 'PRC1', 'OWC1'), 'counterparty 1 collects nothing under this category', '')", "what counterparty 2 posted: nothing holds it"),
    (3, 27, 't3_27_excess_collected_currency', 0, "if(t3_11_category in ('UNCL', 'PRC1', 'OWC1'), 'counterparty 1 collects nothing under this category', '')", "what counterparty 2 posted: nothing holds it"),
    (3, 28, 't3_28_action_type', 1, "''", ""),
    (3, 29, 't3_29_event_date', 1, "''", "")
]) }}
{%- endmacro %}
