{#-
    The trading days an incremental mart builds now: those asked for, or those for which the
    warehouse holds more than the mart was built from. So a late tick restates its day, and so does a
    corrected one, though there are as many ticks as before. A second build changes nothing, and
    retention, which only takes rows away, takes none from a mart.
-#}
{% macro days_to_build() -%}
    {%- set named = var("from_day") and var("to_day") -%}
    (
    {%- if named and not var("with_changed") -%}
        {{ named_days() }}
    {%- elif is_incremental() -%}
        {%- if named %}{{ named_days() }} or {% endif -%}
        {%- if var("restated_days") %}trading_day in ({{ list_of_days("restated_days") }}) or {% endif -%}
        trading_day in (
            select d.state_day
            from {{ ref("int_day_state") }} as d
            left join (
                select
                    trading_day as built_day,
                    max(day_rows) as built_rows
                from {{ this }}
                group by trading_day
            ) as built on d.state_day = built.built_day
            where d.day_rows > coalesce(built.built_rows, 0)
        )
    {%- else -%}
        true
    {%- endif -%}
    ){{ held_back() }}
{%- endmacro %}

{%- macro named_days() -%}
    trading_day between toDate('{{ var("from_day") }}') and toDate('{{ var("to_day") }}')
{%- endmacro %}

{#- Days whose data checks failed are held back, until a check of the corrected day passes. -#}
{%- macro held_back() -%}
    {%- if var("blocked_days") %} and trading_day not in ({{ list_of_days("blocked_days") }}){% endif -%}
{%- endmacro %}

{%- macro list_of_days(name) -%}
    {%- for day in var(name).split(",") -%}
        toDate('{{ day }}'){{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
