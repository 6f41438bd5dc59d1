{#- Lots and average price after the first fills of a life, by arrays over all of its fills: `fills` (signed lots, price), `lots`
    after each, `kept`, how much of the average before it a fill keeps (1 where it reduces, 0 where a position begins or turns
    around), and `logs`, the sum of the logarithms of `kept`. So nothing is folded, which for 300,000 fills takes minutes:
    an average is the sum of prices, each by its own share of what the fills after it keep. -#}
{% macro average_at(count) -%}
    if(
        {{ count }} = 0, tuple(toFloat64(0), toFloat64(0)),
        tuple(
            lots[{{ count }}],
            arraySum(
                (share, fill, log) -> (1 - share) * tupleElement(fill, 2) * exp(logs[{{ count }}] - log),
                {%- for name in ["kept", "all_fills", "logs"] %}
                    arraySlice({{ name }}, {{ begun_at(count) }}, {{ count }} - {{ begun_at(count) }} + 1){{ "," if not loop.last }}
                {%- endfor %}
            )
        )
    )
{%- endmacro %}

{#- The fill out of which what is held after so many fills came. -#}
{% macro begun_at(count) -%}
    greatest(arrayLastIndex(share -> share = 0, arraySlice(kept, 1, {{ count }})), 1)
{%- endmacro %}

{#- Whether a text is a UTI: the LEI of who generated it, then 1 to 32 capitals and digits (2022/1860, article 7(2)). -#}
{% macro is_uti(text) -%}
    (match({{ text }}, '^[A-Z0-9]{21,52}$') and {{ is_lei("substring(" ~ text ~ ", 1, 20)") }})
{%- endmacro %}

{#- Whether a text is a UPI: QZ, consonants and digits, a check character by ISO 7064, modulus 31,30. -#}
{% macro is_upi(text) -%}
    (
        match({{ text }}, '^QZ[0-9BCDFGHJKLMNPQRSTVWXZ]{10}$')
        and (arrayFold(
            (rest, c) -> toUInt64(if((rest + c) % 30 = 0, 30, (rest + c) % 30) * 2 % 31),
            arrayMap(i -> toUInt64(position('0123456789BCDFGHJKLMNPQRSTVWXZ', substring({{ text }}, i, 1)) - 1), range(1, 12)), toUInt64(30)
        ) + position('0123456789BCDFGHJKLMNPQRSTVWXZ', substring({{ text }}, 12, 1)) - 1) % 30 = 1
    )
{%- endmacro %}

{#- Amounts of the annex: 25 digits, 5 of them after the point, rounded half up. -#}
{% macro amount_text(number) -%}
    {{ decimal_text("floor(abs(" ~ number ~ ") * 1e5 + 0.5) / 1e5", 5) }}
{%- endmacro %}

{#- Days for which open contracts are valued: the report's, else every one between the first fill and the last. -#}
{% macro emir_days() -%}
    {%- if var("report_date", "") -%}
        (select toDate('{{ var("report_date", "") }}') as report_date)
    {%- else -%}
        (
            select min_day + number as report_date
            from (select min(report_date) as min_day, max(report_date) as max_day from {{ ref("int_emir_contract") }})
            array join range(toUInt32(if(max_day < min_day, 0, max_day - min_day + 1))) as number
        )
    {%- endif -%}
{%- endmacro %}

{#- Each field as (table, number, name, value, why it is not wanted, what to supply). -#}
{% macro emir_field_tuples(fields) -%}
    {%- for table, number, name, held, reason, supply in fields %}
        tuple({{ table }}, {{ number }}, '{{ name }}', {{ name if held else "''" }}, {{ reason }}, '{{ supply | replace("'", "\\'") }}'){{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}
