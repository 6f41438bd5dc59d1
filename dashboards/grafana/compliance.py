"""Compliance: which reports are owed, what they break on, who ordered what, and the clock."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.grafana import style
from dashboards.grafana.board import Panel, board


def build() -> dashboard.Dashboard:
    """The board."""
    built = board(
        "tickhouse-compliance",
        "Tickhouse: compliance",
        "Reports, breaks, the broker's books, stops, signed controls, people, the clock.",
        ("account",),
    )
    for panel in (*_owed(), *_stopped(), *_people()):
        built = built.with_panel(panel)
    return built


def _owed() -> list[Panel]:
    # What is owed, and what is wrong with it.
    severity = style.in_colours({"error": style.RED, "warning": style.AMBER})
    return [
        style.widths(
            style.rows(
                "Reports due",
                "compliance/reports_due",
                "The last seven UTC days of every report that is in use; late after 03:00 UTC.",
            ),
            {"report": 125, "day": 95, "state": 145, "versions": 75},
        )
        .override_by_name("state", style.in_colours({"released": style.GREEN, "late": style.RED}))
        .height(9)
        .span(7),
        style.widths(
            style.rows(
                "Breaks", "compliance/breaks", "Rows that a report's rules do not let pass; by dbt."
            ),
            {"report": 125, "severity": 75, "breaks": 65, "last_day": 95},
        )
        .override_by_name("severity", severity)
        .height(9)
        .span(8),
        style.widths(
            style.rows(
                "Broker reconciliation",
                "compliance/reconciliation",
                "Our journal against the broker's own books; built by dbt from its statements.",
            ),
            {"severity": 70, "item": 75, "items": 55, "apart": 85, "last_day": 95, "account": 60},
        )
        .override_by_name("severity", severity)
        .override_by_name("apart", style.unit("none", 2))
        .height(9)
        .span(9),
    ]


def _stopped() -> list[Panel]:
    # What controls did.
    return [
        style.stacked_bars(
            "Denied by control", "compliance/denied", "none", "Orders that a rule of ours refused."
        )
        .height(8)
        .span(12),
        style.widths(
            style.rows("Stops", "compliance/kills", "The kill register; built by dbt."),
            {"stopped": 160, "state": 80, "stopped_by": 150, "reason": 190, "positions_closed": 50},
        )
        .override_by_name("state", style.in_colours({"halted": style.RED, "reducing": style.AMBER}))
        .height(8)
        .span(12),
        style.lines(
            "Clock against its references",
            "compliance/clock",
            "µs",
            "The furthest offset of each interval; RTS 25 allows 1 ms for algorithmic trading.",
        )
        .height(8)
        .span(12),
        style.widths(
            style.rows(
                "Signed controls", "compliance/controls", "Versions of limits and the like."
            ),
            {"number": 80, "signed": 170, "kind": 90, "subject": 100, "actor": 80, "raises": 80},
        )
        .height(8)
        .span(12),
    ]


def _people() -> list[Panel]:
    # Who ordered what.
    return [
        style.widths(
            style.rows("What people ordered", "compliance/people", "Lines of the audit log."),
            {"time": 170, "actor": 90, "action": 140, "subject": 260, "reason": 260},
        )
        .height(9)
        .span(24),
    ]
