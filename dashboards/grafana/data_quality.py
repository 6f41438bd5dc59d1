"""Data quality: what came in wrong, what is missing, what was corrected and made again."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.grafana import style
from dashboards.grafana.board import Panel, board, mark

_SHARE = style.unit("percentunit", 2)


def build() -> dashboard.Dashboard:
    """The board."""
    built = board(
        "tickhouse-data-quality",
        "Tickhouse: data quality",
        "Flagged and refused ticks, checks, gaps, corrections and what followed from them.",
        ("source",),
    ).annotation(mark("Ticks corrected", "data_quality/corrections_mark", style.BLUE))
    for panel in (*_ticks(), *_checked(), *_corrected()):
        built = built.with_panel(panel)
    return built


def _ticks() -> list[Panel]:
    # What came in, and how clean it was.
    return [
        style.lines(
            "Ticks flagged",
            "data_quality/flagged",
            "percentunit",
            "Crossed, locked, late or of one millisecond: kept, and marked. The last day.",
        )
        .height(8)
        .span(12),
        style.stacked_bars(
            "Ticks refused", "data_quality/refused", "none", "Not stored as ticks, by reason."
        )
        .height(8)
        .span(12),
        style.widths(
            style.rows("Days", "data_quality/days", "Each trading day of a feed; built by dbt."),
            {"day": 110, "symbol": 90, "ticks": 100},
        )
        .override_by_regexp(".*_share", _SHARE)
        .override_by_name("longest_silence", style.unit("s"))
        .override_by_regexp("spread_.*", style.unit("none", 5))
        .height(8)
        .span(24),
        style.heat(
            "Spread by hour", "data_quality/spread_by_hour", style.RISING, "Basis points, UTC."
        )
        .height(6)
        .span(24),
    ]


def _checked() -> list[Panel]:
    # What is wrong with it.
    return [
        style.widths(
            style.rows("Checks", "data_quality/checks", "The newest of each; failed ones first."),
            {"last_status": 80, "suite": 75, "last_observed": 90},
        )
        .override_by_name(
            "last_status",
            style.in_colours({"passed": style.GREEN, "failed": style.RED, "error": style.RED}),
        )
        .height(9)
        .span(12),
        style.rows(
            "Gaps", "data_quality/gaps", "Silences of over two minutes; weekends are ones too."
        )
        .height(9)
        .span(12),
    ]


def _corrected() -> list[Panel]:
    # What was said otherwise later, and what was made again for it.
    return [
        style.rows("Quarantine", "data_quality/quarantine", "Ticks that were refused, and why.")
        .height(8)
        .span(8),
        style.widths(
            style.rows("Corrections", "data_quality/corrections", "Ticks that got another price."),
            {"known": 170, "symbol": 90, "corrected": 90, "withdrawn": 90},
        )
        .height(8)
        .span(8),
        style.rows(
            "Made again",
            "data_quality/restatements",
            "Bars, checks, marts and reports of corrected days: done, or waiting.",
        )
        .override_by_name("state", style.in_colours({"done": style.GREEN, "pending": style.AMBER}))
        .height(8)
        .span(8),
    ]
