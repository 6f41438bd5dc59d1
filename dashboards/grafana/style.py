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
        .no_value("no data in this span")
    )


def steps(title: str, name: str, unit: str, note: str) -> timeseries.Panel:
    """A quantity that holds until it changes."""
    panel = lines(title, name, unit, note)
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
    """A table."""
    return (
        table.Panel()
        .title(title)
        .description(note)
        .datasource(SOURCE)
        .with_target(Query(name))
        .cell_height(shapes.TableCellHeight.SM)
        .no_value("none")
    )


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
        .no_value("none")
    )


def candles(title: str, name: str, note: str) -> candlestick.Panel:
    """Candles with open, high, low and close columns."""
    return (
        candlestick.Panel()
        .title(title)
        .description(note)
        .datasource(SOURCE)
        .with_target(Query(name))
        .no_value("no bars in this span")
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
        .no_value("none")
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
        .no_value("nothing was said in this span")
    )


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


def in_words(colours: dict[str, str]) -> list[DynamicConfigValue]:
    """A column of words in colours."""
    return [
        DynamicConfigValue(id_val="mappings", value=[coloured_texts(colours).to_json()]),
        DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
    ]


def by_sign() -> list[DynamicConfigValue]:
    """Money: red below zero, green above."""
    return coloured((None, RED), (0.0, GREEN))


def linked(title: str, url: str) -> list[DynamicConfigValue]:
    """A column whose values lead somewhere."""
    return [DynamicConfigValue(id_val="links", value=[{"title": title, "url": url}])]


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
