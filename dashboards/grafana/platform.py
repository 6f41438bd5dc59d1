"""Platform and data: whether feeds are fresh, checks pass, processes live and disks have room."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.grafana import style
from dashboards.grafana.board import Panel, board

_AGE = [*style.unit("s"), *style.coloured((None, style.GREEN), (30, style.AMBER), (120, style.RED))]


_STATUS = {"ready": style.GREEN, "starting": style.AMBER, "degraded": style.AMBER}


def build() -> dashboard.Dashboard:
    """The board."""
    built = board(
        "tickhouse-platform",
        "Tickhouse: platform and data",
        "Freshness, gaps, quarantine, checks, processes, lag, disk, reports due, alerts.",
        (),
    )
    for panel in (*_alive(), *_flow(), *_controls(), *_quality()):
        built = built.with_panel(panel)
    return built


def _alive() -> list[Panel]:
    # Who is there, and how much room is left.
    return [
        style.widths(
            style.rows("Feeds", "platform/freshness", "Newest tick; old while a market is closed."),
            {"symbol": 100, "age": 90, "newest": 180},
        )
        .override_by_name("age", _AGE)
        .height(8)
        .span(8),
        style.widths(
            style.rows("Processes", "platform/processes", "Heartbeats: who lives, since when."),
            {"process": 150, "last_status": 90, "age": 70, "up": 90, "starts": 70},
        )
        .override_by_name("age", _AGE)
        .override_by_name("up", style.unit("s"))
        .override_by_name("last_status", style.in_colours(_STATUS))
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
        style.lines("Feed lag, p99", "platform/lag", "ms", "Tick's time to our receipt, last day.")
        .height(8)
        .span(12),
    ]


def _controls() -> list[Panel]:
    # What people owe, and what they were told.
    return [
        style.rows(
            "Reports due",
            "platform/reports_due",
            "The last seven UTC days of every report that is in use; late after 03:00 UTC.",
        )
        .override_by_name("state", style.in_colours({"released": style.GREEN, "late": style.RED}))
        .height(8)
        .span(10),
        style.widths(
            style.rows("Alerts", "platform/control_alerts", "Rules that fired, breached limits."),
            {"time": 170, "control": 130, "account": 90, "subject": 130, "detail": 330},
        )
        .override_by_name("raised_after", style.unit("s", 2))
        .height(8)
        .span(14),
    ]


def _quality() -> list[Panel]:
    # What is wrong with it, and what it takes.
    return [
        style.rows("Checks", "platform/checks", "The newest result of each; failed ones first.")
        .override_by_name(
            "last_status",
            style.in_colours({"passed": style.GREEN, "failed": style.RED, "error": style.RED}),
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
