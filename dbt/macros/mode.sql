{#- Only rows of the world the marts are built for, and of the firm's accounts when they are built for one firm. -#}
{% macro in_mode(column="mode", account="account") -%}
    {{ column }} = '{{ var("mode") }}'{% if account and var("firm", "") %} and {{ account }} in ({{ firm_accounts() }}){% endif %}
{%- endmacro %}

{#- The firm's accounts as literals; reports/firms.py says which they are. -#}
{% macro firm_accounts() -%}
    {%- for account in var("firm_accounts", "").split("\n") if account -%}
        '{{ account | replace("\\", "\\\\") | replace("'", "\\'") }}'{{ ", " if not loop.last }}
    {%- else -%} null
    {%- endfor -%}
{%- endmacro %}

{#- Live marts in the target's database, every other world in one named after it, a firm's in one of its own. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema }}{{ "" if var("mode") == "live" else "_" ~ var("mode") }}{{ "_firm_" ~ var("firm") if var("firm", "") }}
{%- endmacro %}
