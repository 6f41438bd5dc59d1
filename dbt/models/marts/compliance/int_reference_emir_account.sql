-- noqa: disable=AM04
-- Reference data as we know it now: of versions of one dated row the last loaded.
{{ config(materialized="view", contract={"enforced": false}, tags=["compliance"]) }}

select
    account as ref_account,
    source as ref_source,
    valid_from as ref_from,
    version as ref_version,
    * except (account, source, valid_from, version, ts_init, loaded_by)
from {{ source("compliance", "reference_emir_account") }}
order by account asc, source asc, valid_from asc, version desc, ts_init desc
limit 1 by account, source, valid_from
