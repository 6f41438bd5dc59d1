-- Every order event of the day with what it comes from, as the view `lineage` says it: signal, sessions,
-- prediction, feature row, tick as the decision saw it and as it stands. Rows of reports lead here by run,
-- account and journal_seq, or by their order.
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="append_new_columns", order_by="(account, run_id, journal_seq)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

select
    cast(toDate(ts_event, 'UTC') as Date) as report_date,
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(journal_seq as UInt64) as journal_seq,
    cast(event_id as String) as event_id,
    cast(kind as String) as own_event,
    cast(ts_event as DateTime64(6, 'UTC')) as ts_event,
    cast(order_id as String) as order_id,
    cast(venue_deal as UInt64) as venue_deal,
    cast(session_id as String) as session_id,
    cast(signal_id as String) as signal_id,
    cast(signal_session_id as String) as signal_session_id,
    cast(settings_hash as String) as settings_hash,
    cast(strategy_hash as String) as strategy_hash,
    cast(model as String) as model,
    cast(prediction_id as String) as prediction_id,
    cast(feature_set_hash as String) as feature_set_hash,
    cast(source as String) as source,
    cast(symbol as String) as symbol,
    cast(ts_signal as DateTime64(6, 'UTC')) as ts_tick,
    cast(seq as UInt32) as tick_seq,
    cast(tick_status as String) as tick_status,
    cast(tick_bid_then as Decimal(18, 8)) as tick_bid_then,
    cast(tick_ask_then as Decimal(18, 8)) as tick_ask_then,
    cast(tick_bid as Decimal(18, 8)) as tick_bid,
    cast(tick_ask as Decimal(18, 8)) as tick_ask,
    cast(tick_correction_id as String) as tick_correction_id,
    cast(features_hash as String) as features_hash
-- The view reads all of these.
-- depends_on: {{ source("execution", "order_event") }}, {{ source("decision", "signal") }}
-- depends_on: {{ source("decision", "prediction") }}, {{ source("decision", "named_prediction") }}
-- depends_on: {{ source("market", "tick") }}
from {{ source("execution", "lineage").schema }}.lineage_between({{ lineage_span() }})
where {{ in_mode() }} and {{ report_days("toDate(ts_event, 'UTC')") }}
