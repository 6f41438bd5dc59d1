"""Platform and data: whether feeds are fresh, checks pass, processes live and disks have room."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.grafana import style
from dashboards.grafana.board import Panel, board, mark

_AGE = [*style.unit("s"), *style.coloured((None, style.GREEN), (30, style.AMBER), (120, style.RED))]


def build() -> dashboard.Dashboard:
    """The board."""
    made = board(
        "tickhouse-platform",
        "Tickhouse: platform and data",
        "Freshness, gaps, quarantine, checks, processes, lag, disk.",
        (),
    ).annotation(mark("Halts", "trading/halts_mark", style.RED))
    for panel in (*_alive(), *_flow(), *_quality()):
        made = made.with_panel(panel)
    return made


def _alive() -> list[Panel]:
    # Who is there, and how much room is left.
    return [
        style.rows("Feeds", "platform/freshness", "Newest tick; old while a market is closed.")
        .override_by_name("age", _AGE)
        .height(8)
        .span(8),
        style.rows("Processes", "platform/processes", "Last heartbeat that measured something.")
        .override_by_name("age", _AGE)
        .height(8)
        .span(8),
        style.number("Disk used", "platform/disk", "percentunit", "Of the warehouse's disk.")
        .thresholds(style.limits((None, style.GREEN), (0.8, style.AMBER), (0.92, style.RED)))
        .height(8)
        .span(3),
        style.lines("Queries per interval", "platform/queries", "none", "Asked of the warehouse.")
        .height(8)
        .span(5),
    ]


def _flow() -> list[Panel]:
    # What flows in, and how late.
    return [
        style.stacked_bars("Ticks", "platform/ticks", "none", "Per feed and interval.")
        .height(8)
        .span(12),
        style.lines("Feed lag, p99", "platform/lag", "ms", "From the tick's time to our receipt.")
        .height(8)
        .span(12),
    ]


def _quality() -> list[Panel]:
    # What is wrong with it, and what it takes.
    return [
        style.rows("Checks", "platform/checks", "The newest result of each; failed ones first.")
        .override_by_name(
            "last_status",
            style.in_words({"passed": style.GREEN, "failed": style.RED, "error": style.RED}),
        )
        .height(9)
        .span(12),
        style.rows("Gaps", "platform/gaps", "Silences of over two minutes; weekends are ones too.")
        .height(9)
        .span(12),
        style.rows("Quarantine", "platform/quarantine", "Ticks that were refused, and why.")
        .height(8)
        .span(12),
        style.rows("Storage", "platform/storage", "What each table holds.")
        .override_by_name("bytes", style.unit("bytes", 1))
        .override_by_name("compression", style.unit("none", 1))
        .height(8)
        .span(12),
    ]
