{#- Log-likelihood of a Bernoulli series; 0 log 0 is 0. -#}
{% macro log_likelihood(failed, total, share) -%}
    if({{ failed }} = 0, 0, {{ failed }} * log({{ share }}))
    + if({{ total }} = {{ failed }}, 0, ({{ total }} - {{ failed }}) * log1p(-({{ share }})))
{%- endmacro %}
