"""The boards' house style: one way to draw a line, a table, a number, a state.

Colours say one thing everywhere: green up or good, red down or bad, amber to look at, blue neutral.
"""

from grafana_foundation_sdk.builders import (
    barchart,
    candlestick,
    common,
    dashboard,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

from dashboards.grafana.clickhouse import SOURCE, Format, Query

GREEN, RED, AMBER, BLUE, GREY = "#2E9E6B", "#D1493F", "#D9A441", "#4E86C6", "#8A938F"
Colour = DynamicConfigValue


#: What an empty panel says, by the name of its statement; others say EMPTY.
SAYS = {
    "trading/profit": "no trades in this span",
    "trading/position": "no position in this span",
    "trading/exposure": "no position in this span",
    "trading/message_rate": "nothing sent to the broker in this span",
    "trading/denials": "nothing denied in this span",
    "trading/regime": "no quarter of an hour has ended in this span",
    "trading/state": "no change of the trading state in this span",
    "trading/candles": "no bars in this span",
    "execution/twin_by_hour": "no twin runs beside the broker",
    "execution/outcomes": "no orders in this span",
    "execution/slippage": "no fills in this span",
    "execution/slippage_by_hour": "no fills in this span",
    "execution/latency": "nothing measured in this span",
    "execution/unknown": "0",
    "models/hit_rate": "no predictions judged yet: the marts are built daily",
    "models/shadow": "no challenger predicts in the shadow",
    "data_quality/flagged": "no ticks in this span",
    "data_quality/refused": "nothing refused in this span",
    "compliance/denied": "nothing denied in this span",
    "compliance/clock": "no clock was measured in this span",
    "platform/backup": "none left this host",
    "risk/drawdown_now": "no account in this span",
    "risk/drawdown": "no account in this span",
    "risk/gross": "no position in this span",
    "risk/margin": "no account in this span",
}
EMPTY = "nothing in this span"


def lines(title: str, name: str, unit: str, note: str) -> timeseries.Panel:
    """A time series; one line per label column."""
    return (
        timeseries.Panel()
        .title(title)
        .description(note)
        .datasource(SOURCE)
        .with_target(Query(name, Format.TIME_SERIES))
        .unit(unit)
        .line_width(1.5)
        .fill_opacity(4)
        .show_points(shapes.VisibilityMode.NEVER)
        .span_nulls(False)
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI))
        .no_value(SAYS.get(name, EMPTY))
    )


def steps(title: str, name: str, unit: str, note: str) -> timeseries.Panel:
    """A quantity that holds until it changes: also while other series of the panel change."""
    panel = lines(title, name, unit, note).span_nulls(span_nulls=True)
    return panel.line_interpolation(shapes.LineInterpolation.STEP_AFTER).fill_opacity(15)


def stacked_bars(title: str, name: str, unit: str, note: str) -> timeseries.Panel:
    """Counts per interval, stacked."""
    panel = lines(title, name, unit, note)
    return (
        panel.draw_style(shapes.GraphDrawStyle.BARS)
        .fill_opacity(75)
        .line_width(0)
        .stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    )


def rows(title: str, name: str, note: str) -> table.Panel:
    """A table. Its head says what is missing: a word for none would stand in each empty cell."""
    return (
        table.Panel()
        .title(title)
        .description(note)
        .datasource(SOURCE)
        .with_target(Query(name))
        .cell_height(shapes.TableCellHeight.SM)
        .min_width(_LEAST_WIDTH)  # Grafana's own 150 hides the columns of narrow tables
        .override_by_regexp(r"^(\w+_)?day$", unit("time:YYYY-MM-DD"))
    )


#: Of a table's column, and of one of 24 hours beside each other, in pixels.
_LEAST_WIDTH, _HOUR_WIDTH = 70, 46

#: An hour without a value has no colour: the scheme's lowest would stand for it.
_NOTHING = {
    "type": "special",
    "options": {"match": "null", "result": {"text": "", "color": "transparent", "index": 0}},
}

#: Of heat(): more is worse; below zero is worse.
RISING, BY_SIGN = "continuous-GrYlRd", "continuous-RdYlGr"


def heat(title: str, name: str, scheme: str, note: str) -> table.Panel:
    """Symbols by hour of day: a table whose cells 00 to 23 are coloured by their values.

    Grafana's own heatmap has moments on its axis, no hours of day.
    """
    cells = [
        DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-background"}),
        DynamicConfigValue(id_val="color", value={"mode": scheme}),
        DynamicConfigValue(id_val="decimals", value=1),
        DynamicConfigValue(id_val="mappings", value=[_NOTHING]),
    ]
    panel = rows(title, name, note).min_width(_HOUR_WIDTH).override_by_regexp(r"^\d\d$", cells)
    return widths(panel, {"symbol": 80})


def bars(title: str, name: str, unit: str, note: str) -> barchart.Panel:
    """Categories."""
    return (
        barchart.Panel()
        .title(title)
        .description(note)
        .datasource(SOURCE)
        .with_target(Query(name))
        .unit(unit)
        .fill_opacity(80)
        .orientation(shapes.VizOrientation.HORIZONTAL)  # names read, however many
        .no_value(SAYS.get(name, EMPTY))
    )


def candles(title: str, name: str, note: str) -> candlestick.Panel:
    """Candles with open, high, low and close columns."""
    return (
        candlestick.Panel()
        .title(title)
        .description(note)
        .datasource(SOURCE)
        .with_target(Query(name))
        .no_value(SAYS.get(name, EMPTY))
    )


def number(title: str, name: str, unit: str, note: str) -> stat.Panel:
    """One number."""
    return (
        stat.Panel()
        .title(title)
        .description(note)
        .datasource(SOURCE)
        .with_target(Query(name))
        .unit(unit)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .no_value(SAYS.get(name, EMPTY))
    )


def states(title: str, name: str, note: str) -> statetimeline.Panel:
    """A word that holds until it changes."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(note)
        .datasource(SOURCE)
        .with_target(Query(name, Format.TIME_SERIES))
        .mappings([coloured_texts({"active": GREEN, "reducing": AMBER, "halted": RED})])
        .fill_opacity(70)
        .line_width(0)
        .no_value(SAYS.get(name, EMPTY))
    )


def levels(
    title: str, name: str, steps: dict[float, tuple[str, str]], note: str
) -> statetimeline.Panel:
    """A row per series of a number that names a state: number -> word and colour."""
    options = {
        f"{value:g}": ValueMappingResult(text=text, color=colour, index=at)
        for at, (value, (text, colour)) in enumerate(steps.items())
    }
    return states(title, name, note).mappings([ValueMap(options=options)])


def coloured_texts(colours: dict[str, str]) -> ValueMapping:
    """Text in colours."""
    options = {
        text: ValueMappingResult(text=text, color=colour, index=at)
        for at, (text, colour) in enumerate(colours.items())
    }
    return ValueMap(options=options)


def limits(*steps: tuple[float | None, str]) -> dashboard.ThresholdsConfig:
    """Colours from values on; the first has none and is below all."""
    return (
        dashboard.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=colour) for value, colour in steps])
    )


def unit(name: str, decimals: int | None = None) -> list[DynamicConfigValue]:
    """Properties of one column."""
    properties = [DynamicConfigValue(id_val="unit", value=name)]
    if decimals is not None:
        properties.append(DynamicConfigValue(id_val="decimals", value=decimals))
    return properties


def coloured(*steps: tuple[float | None, str]) -> list[DynamicConfigValue]:
    """A column whose text takes the colour of its value."""
    return [
        DynamicConfigValue(
            id_val="thresholds",
            value={
                "mode": "absolute",
                "steps": [{"value": value, "color": colour} for value, colour in steps],
            },
        ),
        DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
    ]


def in_colours(colours: dict[str, str]) -> list[DynamicConfigValue]:
    """A column of words in colours."""
    return [
        DynamicConfigValue(id_val="mappings", value=[coloured_texts(colours).to_json()]),
        DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
    ]


def by_sign() -> list[DynamicConfigValue]:
    """Money: red below zero, green above."""
    return coloured((None, RED), (0.0, GREEN))


def widths(panel: table.Panel, columns: dict[str, int]) -> table.Panel:
    """A table whose columns have these widths, in pixels; the rest share what is left."""
    for name, pixels in columns.items():
        panel = panel.override_by_name(
            name, [DynamicConfigValue(id_val="custom.width", value=pixels)]
        )
    return panel


def linked(title: str, url: str) -> list[DynamicConfigValue]:
    """A column whose values lead somewhere."""
    return [DynamicConfigValue(id_val="links", value=[{"title": title, "url": url}])]


#: An order's lineage on the trading board, and its trace on the live page (variable `page`).
LINEAGE = "/d/tickhouse-trading?${__url_time_range}&${mode:queryparam}&var-order=${__value.raw}"
TRACE = "${page}/trace?order=${__value.raw}"


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(shapes.LegendDisplayMode.LIST)
        .placement(shapes.LegendPlacement.BOTTOM)
        .show_legend(True)
    )


def logarithmic() -> common.ScaleDistributionConfig:
    """An axis for values that differ by powers of ten."""
    return common.ScaleDistributionConfig().type(shapes.ScaleDistribution.LOG).log(10)
