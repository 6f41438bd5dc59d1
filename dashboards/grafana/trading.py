"""Trading: what is held, what it made, what was decided and what was denied."""

from grafana_foundation_sdk.builders import candlestick, dashboard, table
from grafana_foundation_sdk.models.candlestick import CandleStyle, VizDisplayMode

from dashboards.grafana import style
from dashboards.grafana.board import Panel, board, live_page, mark

_CANDLES = 1  # number of the panel that signals and fills are marked in


def build() -> dashboard.Dashboard:
    """The board."""
    built = (
        board(
            "tickhouse-trading",
            "Tickhouse: trading",
            "Candles with signals and fills, positions, profit, orders and denials.",
            ("source", "symbol", "account"),
        )
        .with_variable(dashboard.TextBoxVariable("order").label("Order (for its lineage)"))
        .with_variable(live_page())
        .annotation(mark("Signals", "trading/signals_mark", style.BLUE, panel=_CANDLES))
        .annotation(mark("Fills", "trading/fills_mark", style.GREEN, panel=_CANDLES))
    )
    for panel in (*_now(), *_money(), *_decisions()):
        built = built.with_panel(panel)
    return built


def _now() -> list[Panel]:
    # What holds now.
    return [
        _candles().id(_CANDLES).height(12).span(16),
        style.widths(
            style.rows("Prediction now", "trading/prediction", "The newest prediction per symbol."),
            {"symbol": 84, "p_up": 60, "p_down": 72, "confidence": 96, "at": 84},
        )
        .override_by_regexp("p_.*|confidence", style.unit("percentunit", 0))
        .height(6)
        .span(8),
        style.widths(
            style.rows("Open positions", "trading/open_positions", "Net position per symbol."),
            {"symbol": 84, "lots": 64, "realised": 84, "entry": 84, "stop": 84},
        )
        .override_by_name("lots", [*style.unit("none", 2), *style.by_sign()])
        .override_by_name("realised", [*style.unit("none", 2), *style.by_sign()])
        .height(6)
        .span(8),
        style.levels(
            "Regime",
            "trading/regime",
            {
                0.0: ("unknown", style.GREY),
                1.0: ("calm", style.BLUE),
                2.0: ("normal", style.GREEN),
                3.0: ("wild", style.AMBER),
            },
            "Calm, normal or wild by the feed's own twenty days; unknown for its first two.",
        )
        .height(5)
        .span(24),
        style.states("Trading state", "trading/state", "Active, reducing or halted, and when.")
        .height(4)
        .span(24),
    ]


def _money() -> list[Panel]:
    # What it made, and with how much.
    return [
        style.steps(
            "Profit realised", "trading/profit", "none", "After costs, from the span's start."
        )
        .height(8)
        .span(8),
        style.lines("Equity and balance", "trading/equity", "none", "As the terminal reports them.")
        .height(8)
        .span(8),
        style.steps("Lots held", "trading/position", "none", "Signed: negative is short.")
        .height(8)
        .span(8),
        style.steps("Exposure", "trading/exposure", "none", "Lots at entry, quote currency.")
        .height(8)
        .span(12),
        style.steps(
            "Messages to the broker",
            "trading/message_rate",
            "none",
            "Orders, changes, cancellations within a minute.",
        )
        .height(8)
        .span(12),
    ]


def _decisions() -> list[Panel]:
    # What was ordered, what was denied, and where an order came from.
    return [
        _orders().height(10).span(24),
        style.bars("Denied by rule", "trading/denials", "none", "By our own rules, in the span.")
        .height(8)
        .span(10),
        style.rows(
            "What the denied would have made",
            "trading/denial_outcome",
            "In at the quote of the denial, out at that of its horizon; built daily by dbt.",
        )
        .override_by_regexp("before_costs|after_costs", [*style.unit("none", 2), *style.by_sign()])
        .height(8)
        .span(14),
        style.rows(
            "Lineage of order $order",
            "trading/lineage",
            "Click an order above: its events, signal, prediction, tick. More: tickhouse explain.",
        )
        .override_by_regexp("p_down|p_up|confidence", style.unit("percentunit", 1))
        .height(7)
        .span(24),
        style.widths(
            style.rows(
                "Trace of order $order",
                "trading/trace",
                "From tick to fill, a row per span; as a waterfall: the column trace of an order.",
            ),
            {"span": 120, "begins_after": 120, "lasted": 120},
        )
        .override_by_regexp("begins_after|lasted", style.unit("ms", 2))
        .height(8)
        .span(24),
    ]


def _candles() -> candlestick.Panel:
    return (
        style.candles(
            "$symbol",
            "trading/candles",
            "Bids by the minute, over longer spans by five minutes or the hour; signals and fills.",
        )
        .mode(VizDisplayMode.CANDLES)
        .candle_style(CandleStyle.CANDLES)
        .fields(
            candlestick.CandlestickFieldMap().open("open").high("high").low("low").close("close")
        )
        .colors(candlestick.CandlestickColors().up(style.GREEN).down(style.RED).flat(style.GREY))
    )


def _orders() -> table.Panel:
    return (
        style.widths(
            style.rows("Orders", "trading/orders", "The newest orders, whatever became of them."),
            {
                "time": 200,
                "symbol": 90,
                "side": 60,
                "purpose": 90,
                "status": 100,
                "lots": 70,
                "filled_at": 100,
                "profit": 90,
            },
        )
        .override_by_name("order_id", style.linked("Lineage of this order", style.LINEAGE))
        .override_by_name("trace", style.linked("Trace of this order", style.TRACE))
        .override_by_name("profit", [*style.unit("none", 2), *style.by_sign()])
        .override_by_name(
            "status",
            style.in_colours(
                {
                    "filled": style.GREEN,
                    "closed": style.GREEN,
                    "denied": style.AMBER,
                    "rejected": style.RED,
                    "unknown": style.RED,
                }
            ),
        )
    )
