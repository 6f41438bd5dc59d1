-- The UTI of each ticket as it was told last.
{{ config(materialized="view", contract={"enforced": false}, tags=["compliance"]) }}

select
    ref_account,
    ref_source,
    ref_ticket,
    argMax(uti, tuple(ref_from, ref_version)) as uti
from {{ ref("int_reference_uti") }}
group by ref_account, ref_source, ref_ticket
