{#- Several columns that together name a row; dbt's own `unique` knows one. -#}
{% test unique_key(model, columns) %}
select
    {{ columns | join(", ") }},
    count() as repeats
from {{ model }}
group by {{ columns | join(", ") }}
having repeats > 1
{% endtest %}
