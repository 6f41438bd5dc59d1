{#- Only rows of the world the marts are built for. -#}
{% macro in_mode(column="mode") -%}
    {{ column }} = '{{ var("mode") }}'
{%- endmacro %}

{#- Live marts in the target's database, every other world in one named after it. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema }}{{ "" if var("mode") == "live" else "_" ~ var("mode") }}
{%- endmacro %}
