-- noqa: disable=AM04
-- Reference data as we know it now: of versions of one dated row the last loaded.
{{ config(materialized="view", contract={"enforced": false}, tags=["compliance"]) }}

select
    party as ref_party,
    valid_from as ref_from,
    version as ref_version,
    * except (party, valid_from, version, ts_init, loaded_by)
from {{ source("compliance", "reference_emir_party") }}
order by party asc, valid_from asc, version desc, ts_init desc
limit 1 by party, valid_from
