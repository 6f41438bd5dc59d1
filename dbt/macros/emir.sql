{#- What is held and at which average price after fills, given in order as (signed lots, price): what reduces leaves the
    price as it is, what turns a position around begins anew. (lots, price). -#}
{% macro average_price(fills) -%}
    arrayFold(
        (held, fill) -> tuple(
            round(tupleElement(held, 1) + tupleElement(fill, 1), 8),
            multiIf(
                round(tupleElement(held, 1) + tupleElement(fill, 1), 8) = 0, tupleElement(held, 2),
                tupleElement(held, 1) = 0 or tupleElement(held, 1) * (tupleElement(held, 1) + tupleElement(fill, 1)) < 0, tupleElement(fill, 2),
                tupleElement(held, 1) * tupleElement(fill, 1) > 0,
                (tupleElement(held, 1) * tupleElement(held, 2) + tupleElement(fill, 1) * tupleElement(fill, 2))
                / (tupleElement(held, 1) + tupleElement(fill, 1)),
                tupleElement(held, 2)
            )
        ),
        {{ fills }},
        tuple(toFloat64(0), toFloat64(0))
    )
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
