{#- A sum or mean of floats, without the last bits: threads add up in an order of their own, and a mart
    that is built twice from the same rows shall be the same. -#}
{% macro stable(expression) -%}
    round({{ expression }}, 9)
{%- endmacro %}
