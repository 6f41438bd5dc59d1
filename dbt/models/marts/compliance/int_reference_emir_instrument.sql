-- noqa: disable=AM04
-- Reference data as we know it now: of versions of one dated row the last loaded.
{{ config(materialized="view", contract={"enforced": false}, tags=["compliance"]) }}

select
    source as ref_source,
    symbol as ref_symbol,
    valid_from as ref_from,
    version as ref_version,
    * except (source, symbol, valid_from, version, ts_init, loaded_by)
from {{ source("compliance", "reference_emir_instrument") }}
order by source asc, symbol asc, valid_from asc, version desc, ts_init desc
limit 1 by source, symbol, valid_from
