-- noqa: disable=AM04
-- Reference data as we know it now: of versions of one dated row the last loaded.
{{ config(materialized="view", contract={"enforced": false}, tags=["compliance"]) }}

select
    account as ref_account,
    source as ref_source,
    ticket as ref_ticket,
    valid_from as ref_from,
    version as ref_version,
    * except (account, source, ticket, valid_from, version, ts_init, loaded_by)
from {{ source("compliance", "reference_uti") }}
order by account asc, source asc, ticket asc, valid_from asc, version desc, ts_init desc
limit 1 by account, source, ticket, valid_from
