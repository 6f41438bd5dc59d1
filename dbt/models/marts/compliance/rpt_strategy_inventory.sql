-- Every strategy there is and every version of what is known of it: the inventory with its change log.
{{ config(materialized="table", order_by="(strategy, valid_from, version)", tags=["compliance"]) }}

select
    cast(strategy as String) as strategy,
    cast(valid_from as Date) as valid_from,
    cast(version as UInt64) as version,
    cast(row_number() over (partition by strategy order by valid_from desc, version desc) = 1 as Bool) as is_current,
    cast(decision_kind as String) as decision_kind,
    cast(decision_id as String) as decision_id,
    cast(execution_kind as String) as execution_kind,
    cast(execution_id as String) as execution_id,
    cast(description as String) as description,
    cast(owner as String) as owner,
    cast(approved_by as String) as approved_by,
    cast(ts_init as DateTime64(6, 'UTC')) as ts_loaded,
    cast(loaded_by as String) as loaded_by
from {{ source("compliance", "reference_person") }}
