{#- The trading day of a time: it ends at 17:00 New York, whatever the clocks there do. -#}
{% macro trading_day(ts) -%}
    toDate(addHours(toTimeZone({{ ts }}, 'America/New_York'), 7))
{%- endmacro %}

{#- Whether an outer join found nothing: NULL or the epoch, depending on join_use_nulls. -#}
{% macro missing(ts) -%}
    coalesce(toUnixTimestamp64Micro({{ ts }}), 0) = 0
{%- endmacro %}
