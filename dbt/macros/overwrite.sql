{#-
    Instead of the adapter's macro of this name, for one table that is whole on the server that is asked:
    the replacing travels to a cluster's other servers by itself. Partitions that the new rows are of replace
    those that are there, and so does the report's day when it was asked for and has no rows any more: the adapter leaves
    such a day as it was, with breaks that were mended and fills that moved to another day. One statement: a reader sees
    the rows of before, or those of now.
-#}
{% macro clickhouse__incremental_insert_overwrite(existing_relation, partition_by, is_distributed=False) %}
    {%- set name = existing_relation.identifier ~ "__dbt_new_data_" ~ invocation_id.replace("-", "_") -%}
    {%- set new_data = existing_relation.incorporate(path={"identifier": name}) -%}
    {{ drop_relation_if_exists(new_data) }}
    {% call statement("main") %}
        {{ get_create_table_as_sql(False, new_data, sql) }}
    {% endcall %}
    {%- set partitions = overwritten_partitions(new_data, partition_by) if execute else [] -%}
    {% if partitions %}
        {% call statement("replace_partitions") %}
            alter table {{ existing_relation }}
            {%- for partition in partitions %}
            replace partition id '{{ partition }}' from {{ new_data }}{{ "," if not loop.last }}
            {%- endfor %}
            {%- if adapter.is_at_or_after_version("26.6") %}
            settings allow_replace_partition_from_empty_source = 1
            {%- endif %}
        {% endcall %}
    {% endif %}
    {% do adapter.drop_relation(new_data) %}
{% endmacro %}

{#- Ids of the partitions that new rows are of, and of the day that was asked for. -#}
{% macro overwritten_partitions(new_data, partition_by) %}
    {%- set query -%}
        select distinct partition_id from system.parts
        where active and database = '{{ new_data.schema }}' and table = '{{ new_data.identifier }}'
    {%- endset -%}
    {%- set ids = run_query(query).columns["partition_id"].values() | list -%}
    {%- set days = partition_by if partition_by is string else partition_by | join(",") -%}
    {%- if var("report_date", "") and days == "report_date" -%}
        {%- set ids = (ids + [var("report_date").replace("-", "")]) | unique | list -%}
    {%- endif -%}
    {{ return(ids) }}
{% endmacro %}
