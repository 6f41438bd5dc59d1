"""How a backtest's accounts stood under their firm's rules: what was left, which tick broke one.

The figures are those that execution kept at every tick; nothing is computed again.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from backtest.metrics import utc
from backtest.page_tables import amount
from core.contracts.firm import FirmFigure, FirmRecord

#: How a rule is called where people read.
NAMES = {
    "daily_loss": "Daily loss", "drawdown": "Drawdown", "open_lots": "Open lots",
    "profit_target": "Profit target", "min_days": "Trading days", "consistency": "Best day",
    "news": "News",
}  # fmt: skip


class Row(NamedTuple):
    """One rule of one account, as text."""

    account: str
    rule: str
    limit: str
    end: str  # at the run's end
    least: str  # that was ever left
    verdict: str
    is_bad: bool


def rows(account: str, record: FirmRecord | None) -> list[dict[str, Any]]:
    """Every rule of an account, ready for JSON; none without a firm's rules."""
    if record is None:
        return []
    return [
        {
            "account": account, "firm": record.state.firm, "rule": figure.rule,
            "limit": figure.limit, "observed": figure.observed, "left": _finite(figure.left),
            "least_left": figure.least if figure.least_us else None,
            "least_at": _text(figure.least_us), "broken_at": _text(figure.broken_us),
            "verdict": verdict(figure),
        }
        for figure in record.figures
    ]  # fmt: skip


def verdict(figure: FirmFigure) -> str:
    """What came of a rule, in words."""
    if figure.broken_us:
        return f"broken at the tick of {_text(figure.broken_us)} UTC"
    if figure.rule in ("profit_target", "min_days"):
        return "reached" if figure.left <= 0 else "not reached"
    if figure.rule == "consistency":
        return "met" if figure.observed <= figure.limit else "not met"
    return "kept"


def table(report: Sequence[dict[str, Any]]) -> list[Row]:
    """The rows as the page shows them."""
    return [
        Row(
            each["account"], NAMES.get(each["rule"], each["rule"]), _shown(each, "limit"),
            _shown(each, "observed"),
            f"{amount(each['least_left'])} at {each['least_at']}" if each["least_at"] else "\u2013",
            each["verdict"], bool(each["broken_at"]) or each["verdict"] == "not met",
        )
        for each in report
    ]  # fmt: skip


def _shown(each: dict[str, Any], name: str) -> str:
    value, rule = each[name], each["rule"]
    if rule == "consistency":
        return f"{value:.0%} of the profit"
    if rule == "news":
        return "none" if not value else "entries around events"
    return f"{value:g}" if rule in ("open_lots", "min_days") else amount(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _text(time_us: int) -> str:
    return utc(time_us).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] if time_us else ""
