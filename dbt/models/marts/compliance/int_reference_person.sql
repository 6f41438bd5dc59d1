-- noqa: disable=AM04
-- Reference data as we know it now: of versions of one dated row the last loaded.
{{ config(materialized="view", contract={"enforced": false}, tags=["compliance"]) }}

select
    strategy as ref_strategy,
    valid_from as ref_from,
    version as ref_version,
    * except (strategy, valid_from, version, ts_init, loaded_by)
from {{ source("compliance", "reference_person") }}
order by strategy asc, valid_from asc, version desc, ts_init desc
limit 1 by strategy, valid_from
