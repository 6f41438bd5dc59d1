"""Execution: how fast, how often refused, and how far fills lie from the decision's price."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.grafana import style
from dashboards.grafana.board import Panel, board, live_page

_MICROSECONDS, _BASIS_POINTS = "µs", "none"


def build() -> dashboard.Dashboard:
    """The board."""
    built = board(
        "tickhouse-execution",
        "Tickhouse: execution",
        "Latency per stage, outcomes, rejects, slippage, and the broker beside its twin.",
        ("account",),
    ).with_variable(live_page())
    for panel in (*_speed(), *_results(), *_fills(), *_twin()):
        built = built.with_panel(panel)
    return built


def _speed() -> list[Panel]:
    # What is unknown, and how fast each stage is.
    return [
        style.number(
            "Orders of unknown outcome",
            "execution/unknown",
            "none",
            "Each blocks its symbol until found or settled by a person: tickhouse orders list",
        )
        .thresholds(style.limits((None, style.GREEN), (1.0, style.RED)))
        .height(8)
        .span(5),
        style.rows("Stages", "execution/stages", "Microseconds; buckets are 3 % wide.")
        .override_by_regexp("p50|p99|longest", style.unit(_MICROSECONDS, 0))
        .height(8)
        .span(8),
        style.lines(
            "Signal to order, p50 and p99",
            "execution/latency",
            _MICROSECONDS,
            "Each stage on an order's way to the broker.",
        )
        .scale_distribution(style.logarithmic())
        .height(8)
        .span(11),
    ]


def _results() -> list[Panel]:
    # What became of orders, and at what price.
    return [
        style.stacked_bars(
            "Outcomes", "execution/outcomes", "none", "Orders by what became of them."
        )
        .height(8)
        .span(12),
        style.rows(
            "Refused by the broker", "execution/rejects", "With the broker's code and words."
        )
        .height(8)
        .span(12),
        style.lines(
            "Slippage",
            "execution/slippage",
            _BASIS_POINTS,
            "Basis points against the mid when the decision arrived; positive costs us.",
        )
        .height(8)
        .span(12),
        style.bars(
            "Slippage by hour",
            "execution/slippage_by_hour",
            _BASIS_POINTS,
            "Mean and p95 in basis points, by hour of day, UTC.",
        )
        .height(8)
        .span(12),
    ]


def _fills() -> list[Panel]:
    # Where it cost, and each fill with what it came from.
    return [
        style.heat(
            "Slippage by hour and symbol",
            "execution/slippage_heat",
            style.RISING,
            "Mean in basis points; hours UTC.",
        )
        .height(6)
        .span(24),
        style.widths(
            style.rows("Fills", "execution/fills", "The newest; order_id and trace lead on."),
            {"time": 200, "symbol": 90, "side": 60, "lots": 70, "filled_at": 110, "purpose": 90},
        )
        .override_by_name("slippage", style.unit("none", 2))
        .override_by_name("booked", [*style.unit("none", 2), *style.by_sign()])
        .override_by_name("order_id", style.linked("Lineage of this order", style.LINEAGE))
        .override_by_name("trace", style.linked("Trace of this order", style.TRACE))
        .height(9)
        .span(24),
    ]


def _twin() -> list[Panel]:
    # The broker beside a simulated one on the same ticks and orders.
    return [
        style.bars(
            "Slippage by hour, broker and twin",
            "execution/twin_by_hour",
            _BASIS_POINTS,
            "Mean in basis points, by hour of day, UTC: what the twin pays too is the market's.",
        )
        .height(8)
        .span(12),
        style.rows(
            "Broker and twin",
            "execution/twin",
            "Fills, rejects and milliseconds of both; worse_by_bp is what the broker costs beyond.",
        )
        .override_by_name("worse_by_bp", style.unit("none", 2))
        .override_by_regexp(".*latency.*", style.unit("ms", 0))
        .height(8)
        .span(12),
    ]
