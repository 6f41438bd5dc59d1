"""Risk: how far below its peak the account is, how near its limits, and what stopped it."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.grafana import style
from dashboards.grafana.board import Panel, board, mark


def build() -> dashboard.Dashboard:
    """The board."""
    built = board(
        "tickhouse-risk",
        "Tickhouse: risk",
        "Drawdown, exposure, margin, denials, breakers, leases and alerts.",
        ("account",),
    ).annotation(mark("Alerts", "risk/alerts_mark", style.AMBER, shown=False))  # many on bad days
    for panel in (*_money(), *_lost(), *_used(), *_of_firms(), *_held(), *_stopped()):
        built = built.with_panel(panel)
    return built


def _money() -> list[Panel]:
    # How bad it is.
    return [
        style.number("Drawdown now", "risk/drawdown_now", "percentunit", "Below the span's peak.")
        .thresholds(style.limits((None, style.GREEN), (0.05, style.AMBER), (0.08, style.RED)))
        .decimals(2)
        .height(8)
        .span(5),
        style.lines(
            "Drawdown", "risk/drawdown", "percentunit", "Lowest equity below the peak before it."
        )
        .height(8)
        .span(14),
        style.number(
            "Orders of unknown outcome",
            "execution/unknown",
            "none",
            "Each blocks its symbol until found or settled by a person: tickhouse orders list",
        )
        .thresholds(style.limits((None, style.GREEN), (1.0, style.RED)))
        .height(8)
        .span(5),
        style.states("Trading state", "trading/state", "Active, reducing or halted, and when.")
        .height(4)
        .span(24),
        style.heat("Profit by hour", "risk/profit_heat", style.BY_SIGN, "After costs; hours UTC.")
        .height(6)
        .span(24),
    ]


def _lost() -> list[Panel]:
    # What can be lost.
    return [
        style.lines(
            "Value at risk", "risk/value_at_risk", "none", "99 %, a day, by measure; money."
        )
        .height(8)
        .span(8),
        style.lines(
            "Expected shortfall",
            "risk/expected_shortfall",
            "none",
            "99 %, a day, by measure; money.",
        )
        .height(8)
        .span(8),
        style.lines(
            "Room before stop-out", "risk/stop_out", "none", "In standard deviations of a day."
        )
        .height(8)
        .span(8),
        style.widths(
            style.rows(
                "Stress",
                "risk/stress",
                "Newest result of each scenario: tickhouse stress, nightly.",
            ),
            {"scenario": 140, "strategy": 100, "profit": 110},
        )
        .override_by_name("profit", style.by_sign())
        .height(9)
        .span(12),
        style.rows(
            "Did the measures hold?",
            "risk/var_backtest",
            "Losses beyond the figure, and their tests.",
        )
        .override_by_name(
            "zone",
            style.in_colours({"green": style.GREEN, "yellow": style.AMBER, "red": style.RED}),
        )
        .height(9)
        .span(12),
    ]


def _held() -> list[Panel]:
    # What it consists of.
    return [
        style.bars("Exposure by currency", "risk/currencies", "none", "Held or owed now; money.")
        .height(9)
        .span(8),
        style.rows("Exposure by symbol", "risk/feeds", "Now; share of the variance.")
        .height(9)
        .span(8),
        style.rows("Correlations", "risk/correlations", "Of the newest minute, largest first.")
        .height(9)
        .span(8),
    ]


def _used() -> list[Panel]:
    # How much of what is allowed is taken.
    return [
        style.steps("Gross lots", "risk/gross", "none", "Of all positions, long and short alike.")
        .height(8)
        .span(8),
        style.lines("Margin used", "risk/margin", "percentunit", "Of the equity.")
        .height(8)
        .span(8),
        style.steps(
            "Messages to the broker",
            "trading/message_rate",
            "none",
            "Orders, changes, cancellations within a minute.",
        )
        .height(8)
        .span(8),
        style.widths(
            style.rows(
                "Limits met", "risk/limits_met", "What denied, at which limit, how far off."
            ),
            {"rule": 160, "denied": 80, "last": 180},
        )
        .height(9)
        .span(12),
        style.widths(
            style.rows("Breakers and leases", "risk/stops", "What stopped trading by itself."),
            {"time": 180, "state": 90, "stopped_by": 170},
        )
        .override_by_name("state", style.in_colours({"halted": style.RED, "active": style.GREEN}))
        .height(9)
        .span(12),
    ]


def _of_firms() -> list[Panel]:
    # How near an account is to the rules of its firm.
    return [
        style.lines(
            "Left before a firm's rules",
            "risk/firm_left",
            "percentunit",
            "Share of what may be lost or held; at 0 the rule is broken.",
        )
        .height(9)
        .span(12),
        style.widths(
            style.rows("Rules of the firm", "risk/firm_rules", "Newest; money, lots, days."),
            {"account": 120, "rule": 120, "verdict": 90},
        )
        .override_by_name("verdict", style.in_colours({"broken": style.RED, "kept": style.GREEN}))
        .height(9)
        .span(12),
    ]


def _stopped() -> list[Panel]:
    # What people were told.
    return [
        style.widths(
            style.rows("Alerts by rule", "risk/alerts", "Rules that fired, breached limits."),
            {"control": 170, "raised": 80, "last": 180, "last_subject": 160},
        )
        .height(9)
        .span(24),
    ]
