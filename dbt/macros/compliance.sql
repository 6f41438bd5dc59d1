{#- Rows of the report's UTC day; of the last days and newer ones when no day is asked for. -#}
{% macro report_days(column) -%}
    {%- if var("report_date", "") -%}
        {{ column }} = toDate('{{ var("report_date", "") }}')
    {%- elif is_incremental() -%}
        {{ column }} >= (select greatest(max(report_date), toDate('1970-01-10')) - 3 from {{ this }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- The same days as the span of the view lineage_between; empty is without a bound. -#}
{% macro lineage_span() -%}
    {%- if var("report_date", "") -%}
        start = '{{ var("report_date", "") }}', end = toString(toDate('{{ var("report_date", "") }}') + 1)
    {%- elif is_incremental() -%}
        start = (select toString(greatest(max(report_date), toDate('1970-01-10')) - 3) from {{ this }}), end = ''
    {%- else -%}
        start = '', end = ''
    {%- endif -%}
{%- endmacro %}

{#- Whether a row names a signal that nothing is stored of, so that nobody can say on which tick it was decided. -#}
{% macro is_untraced(signal) -%}
    {{ signal }} != '' and {{ signal }} not in (
        select traced.signal_id from {{ ref("rpt_lineage") }} as traced where traced.tick_status != ''
    )
{%- endmacro %}

{#- A number as text: rounded, never truncated, without a trailing zero. By way of text: a Decimal of a Float64 is truncated,
    5044.86 to 5044.85999999. -#}
{% macro decimal_text(number, digits=8) -%}
    toString(toDecimal128(toString(round({{ number }}, {{ digits }})), {{ digits }}))
{%- endmacro %}

{#- ISO 8601 in UTC with microseconds. -#}
{% macro time_text(ts) -%}
    formatDateTime({{ ts }}, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC')
{%- endmacro %}

{#- A character as ISO 7064 and ISO 6166 count it: digits as they are, A is 10. -#}
{% macro digit_of(text, place) -%}
    toUInt64(if(ascii(substring({{ text }}, {{ place }}, 1)) >= 65, ascii(substring({{ text }}, {{ place }}, 1)) - 55, ascii(substring({{ text }}, {{ place }}, 1)) - 48))
{%- endmacro %}

{#- Whether a text is an LEI: form, and ISO 7064 mod 97-10. -#}
{% macro is_lei(text) -%}
    (
        match({{ text }}, '^[A-Z0-9]{18}[0-9]{2}$')
        and arrayFold(
            (sum, d) -> toUInt64((sum * if(d > 9, 100, 10) + d) % 97),
            arrayMap(i -> {{ digit_of(text, "i") }}, range(1, 21)), toUInt64(0)
        ) = 1
    )
{%- endmacro %}

{#- Whether a text is an ISIN: form, and the check digit by Luhn over its letters as two digits. -#}
{% macro is_isin(text) -%}
    (
        match({{ text }}, '^[A-Z]{2}[A-Z0-9]{9}[0-9]$')
        and arraySum((d, n) -> if(n % 2 = 0, intDiv(2 * d, 10) + 2 * d % 10, d),
            arrayReverse(arrayMap(c -> toUInt64OrZero(c), extractAll(arrayStringConcat(arrayMap(i -> toString({{ digit_of(text, "i") }}), range(1, 13))), '.'))),
            arrayEnumerate(extractAll(arrayStringConcat(arrayMap(i -> toString({{ digit_of(text, "i") }}), range(1, 13))), '.'))
        ) % 10 = 0
    )
{%- endmacro %}

{#- Whether a code stands in one of the lists of reference_code. -#}
{% macro in_list(text, list) -%}
    {{ text }} in (select code from {{ ref("int_reference_code") }} where list = '{{ list }}')
{%- endmacro %}

{#- Whether a text is a decimal of at most so many digits, so many of them after the point. -#}
{% macro is_decimal(text, total, fraction) -%}
    (
        match({{ text }}, '^-?[0-9]{1,{{ total }}}(\\.[0-9]{1,{{ fraction }}})?$')
        and length(replaceRegexpAll({{ text }}, '[^0-9]', '')) <= {{ total }}
    )
{%- endmacro %}

{#- Ticks that an order of the report's day may refer to: that day's and the day's before. -#}
{% macro ticks_near(column) -%}
    {%- if var("report_date", "") -%}
        {{ column }} >= toDateTime64(toDate('{{ var("report_date", "") }}') - 1, 6, 'UTC')
        and {{ column }} < toDateTime64(toDate('{{ var("report_date", "") }}') + 1, 6, 'UTC')
    {%- elif is_incremental() -%}
        {{ column }} >= toDateTime64((select greatest(max(report_date), toDate('1970-01-10')) - 4 from {{ this }}), 6, 'UTC')
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- RTS 25, annex: microseconds that a clock of this kind of trading may be off, or may step by. -#}
{% macro clock_limit(what) -%}
    {%- set limits = {
        "hft": {"divergence": 100, "granularity": 1},
        "algorithmic": {"divergence": 1000, "granularity": 1000},
        "voice": {"divergence": 1000000, "granularity": 1000000}
    } -%}
    {{ limits.get(var("clock_category"), limits["algorithmic"])[what] }}
{%- endmacro %}
