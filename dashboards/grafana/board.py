"""What all boards share: variables, links to each other, refresh, places, and marks.

Halts, promotions and restatements are marked on every board: each explains a step in any curve.
"""

from collections.abc import Sequence
from typing import Literal

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as shapes
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableHide,
    VariableOption,
    VariableRefresh,
)

from dashboards.grafana import style
from dashboards.grafana.clickhouse import SOURCE, ClickhouseQuery, Format, sql

MODES = ("live", "shadow", "demo", "replay", "backtest")
WIDTH = 24  # of Grafana's grid
FOLDER, TAG = "Tickhouse", "tickhouse"
LIVE_PAGE = "http://127.0.0.1:8050"  # as `tickhouse up` has it when the port is free
Panel = Builder[shapes.Panel]
Variable = Literal["source", "symbol", "model", "account"]

_VALUES: dict[str, str] = {
    "source": "SELECT DISTINCT source FROM bar_1h ORDER BY source",
    "symbol": "SELECT DISTINCT symbol FROM bar_1h WHERE source = '${source}' ORDER BY symbol",
    "model": "SELECT DISTINCT model FROM model ORDER BY model",
    "account": "SELECT DISTINCT account FROM run WHERE mode = '${mode}' ORDER BY account",
}
_SEVERAL = ("model", "account")
#: The mode that runs here comes first, and so is chosen until somebody chooses another.
_MODE = f"""
SELECT arrayJoin(arrayDistinct(arrayConcat([(SELECT mode FROM running_mode)], {[*MODES]}))) AS mode
""".strip()
_MARTS = "SELECT concat('tickhouse_marts', if('${mode}' = 'live', '', '_${mode}')) AS marts"


def board(uid: str, title: str, note: str, variables: tuple[Variable, ...]) -> dashboard.Dashboard:
    """An empty board; `mode` (the running one) and the marts' database are always variables.

    It refreshes no faster than all its panels answer together: a refresh cancels what has not
    answered yet, and a board that does so each second stays empty. What is now is on the live page.
    """
    empty = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(note)
        .tags([TAG])
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-1h", "now")
        .refresh("10s")
        .timepicker(dashboard.TimePicker().refresh_intervals(["10s", "30s", "1m", "5m"]))
        .link(
            dashboard.DashboardLink("Tickhouse boards")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .keep_time(True)
            .include_vars(True)
        )
        .annotation(mark("Halts", "marks/halts", style.RED))
        .annotation(mark("Promotions", "marks/promotions", style.AMBER))
        .annotation(mark("Restatements", "marks/restatements", style.GREY))
        .with_variable(_query("mode", _MODE))
        .with_variable(_query("marts", _MARTS).hide(VariableHide.HIDE_VARIABLE))
    )
    for name in variables:
        empty = empty.with_variable(_query(name, _VALUES[name]))
    return empty


def live_page() -> dashboard.TextBoxVariable:
    """Where the live page is, which shows an order's trace; another port is typed in."""
    variable = dashboard.TextBoxVariable("page").label("Live page").default_value(LIVE_PAGE)
    return variable.current(VariableOption(text=LIVE_PAGE, value=LIVE_PAGE))


def mark(
    name: str, query: str, colour: str, *, shown: bool = True, panel: int = 0
) -> dashboard.AnnotationQuery:
    """Annotations from rows of time, text and tags.

    Args:
        shown: before anybody asks for them.
        panel: number of the only panel that they stand in; 0: in all.
    """
    marks = _Mark().name(name).datasource(SOURCE).enable(shown).icon_color(colour).of(query)
    if panel:
        marks.filter(dashboard.AnnotationPanelFilter().exclude(False).ids([panel]))
    return marks


class _Mark(dashboard.AnnotationQuery):
    """The SDK's annotation knows Grafana's own kind of target only; this one carries SQL."""

    def of(self, query: str) -> "_Mark":
        self._internal.target = ClickhouseQuery(sql(query), Format.TABLE, "Anno")  # type: ignore[assignment]
        return self


def place(panels: Sequence[shapes.Panel]) -> None:
    """Give each panel, in order, the highest place that is free for its width, then the leftmost.

    The kit's own way takes no notice of what a higher panel reaches down to, and overlaps.
    """
    floor = [0] * WIDTH
    for panel in panels:
        grid = panel.grid_pos
        assert grid is not None
        columns = range(WIDTH - grid.w + 1)
        grid.y, grid.x = min((max(floor[x : x + grid.w]), x) for x in columns)
        floor[grid.x : grid.x + grid.w] = [grid.y + grid.h] * grid.w


def _query(name: str, statement: str) -> dashboard.QueryVariable:
    several = name in _SEVERAL
    variable = (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .datasource(SOURCE)
        .query(ClickhouseQuery(statement, Format.TABLE, name).to_json())
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(several)
        .include_all(several)
    )
    if several:
        variable = variable.current(VariableOption(text="All", value="$__all", selected=True))
    return variable
