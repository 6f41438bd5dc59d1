"""Platform: whether feeds are fresh, processes live, disks have room, and people were told."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.grafana import style
from dashboards.grafana.board import Panel, board, mark

_AGE = [*style.unit("s"), *style.coloured((None, style.GREEN), (30, style.AMBER), (120, style.RED))]


_STATUS = {"ready": style.GREEN, "starting": style.AMBER, "degraded": style.AMBER}


def build() -> dashboard.Dashboard:
    """The board."""
    built = board(
        "tickhouse-platform",
        "Tickhouse: platform",
        "Freshness, processes, lag, disk, storage, alerts.",
        (),
    ).annotation(mark("Starts", "platform/starts_mark", style.BLUE))
    for panel in (*_alive(), *_flow(), *_controls(), *_stored()):
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
        style.lines(
            "Queries, and cancelled",
            "platform/queries",
            "none",
            "Asked of the warehouse, per interval; cancelled: their client left before the answer,"
            " as a board does that refreshes too fast.",
        )
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
    # What people were told.
    return [
        style.widths(
            style.rows("Alerts", "platform/control_alerts", "Rules that fired, breached limits."),
            {"time": 170, "control": 130, "account": 90, "subject": 130, "detail": 330},
        )
        .override_by_name("raised_after", style.unit("s", 2))
        .height(8)
        .span(24),
    ]


def _stored() -> list[Panel]:
    # What it takes.
    return [
        style.rows("Storage", "platform/storage", "What each table holds.")
        .override_by_name("bytes", style.unit("bytes", 1))
        .override_by_name("compression", style.unit("none", 1))
        .height(8)
        .span(24),
    ]
