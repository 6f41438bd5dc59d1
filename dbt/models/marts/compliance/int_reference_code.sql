-- Codes of the lists that fields are checked against.
{{ config(materialized="view", contract={"enforced": false}, tags=["compliance"]) }}

select distinct
    list,
    code
from {{ source("compliance", "reference_code") }}
