-- noqa: disable=LT05
-- R5: orders whose figures cannot be right (error), and those that a reviewer should look at (warning).
{{ config(
    materialized="incremental", incremental_strategy="insert_overwrite", partition_by="report_date",
    on_schema_change="fail", order_by="(account, order_id, rule_id)", tags=["compliance"],
    query_settings={"max_partitions_per_insert_block": 0}
) }}

with

judged as (
    select
        report_date,
        mode,
        account,
        order_id,
        signal_id,
        journal_seq,
        arrayJoin(arrayFilter(rule -> tupleElement(rule, 5), [
            tuple('outcome', 'outcome_unknown', 'error', outcome, outcome = 'unknown'),
            tuple('volume_filled', 'filled_beyond_asked', 'error', toString(volume_filled), volume_filled > volume_asked + 1e-9),
            tuple('known_ms', 'known_before_sent', 'error', toString(known_ms), coalesce(known_ms < 0, false)),
            tuple('venue_ms', 'venue_clock_differs', 'warning', toString(venue_ms), coalesce(venue_ms < 0, false)),
            tuple('reference_kind', 'no_quote_at_arrival', 'warning', reference_kind, reference_kind in ('journal mid', 'none')),
            tuple('mid_difference_bp', 'mid_is_not_the_quote', 'warning', toString(mid_difference_bp), coalesce(mid_difference_bp > spread_bp / 2 + 1e-6, false)),
            tuple('slippage_bp', 'slippage_outlier', 'warning', toString(slippage_bp), coalesce(slippage_bp > {{ var("tca_outlier_spreads") }} * spread_bp, false)),
            tuple('slippage_bp', 'slippage_implausible', 'warning', toString(slippage_bp), coalesce(abs(slippage_bp) > {{ var("tca_implausible_bp") }}, false)),
            tuple('known_ms', 'slow', 'warning', toString(known_ms), coalesce(known_ms > {{ var("tca_slow_ms") }}, false)),
            tuple('twin_outcome', 'twin_disagrees', 'warning', concat(outcome, ' / ', twin_outcome), twin_outcome != '' and (twin_outcome = 'rejected') != (outcome = 'rejected')),
            tuple('signal_id', 'no_lineage', 'warning', signal_id, {{ is_untraced('signal_id') }})
        ])) as broken
    from {{ ref("rpt_execution_order") }}
    where {{ report_days("report_date") }}
)

select
    cast(report_date as Date) as report_date,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(order_id as String) as order_id,
    cast(signal_id as String) as signal_id,
    cast(journal_seq as UInt64) as journal_seq,
    cast(tupleElement(broken, 1) as String) as field,
    cast(tupleElement(broken, 2) as String) as rule_id,
    cast(tupleElement(broken, 3) as String) as severity,
    cast(coalesce(tupleElement(broken, 4), '') as String) as value
from judged
