"""What each strategy of the account realised, for `tickhouse status`."""

from typing import NamedTuple

from cli.diagnostics.status import StackStatus
from cli.diagnostics.status_rows import rows
from core.errors import TickhouseError
from core.settings import Settings


class StrategyProfit(NamedTuple):
    """Account currency, costs included. `today`: since 17:00 New York."""

    strategy: str
    today: float
    ever: float


def strategy_profit(settings: Settings, status: StackStatus) -> list[StrategyProfit] | str:
    """By strategy; nothing while no stack runs or nothing was filled, else why nobody knows."""
    if not status.stack:
        return []
    try:
        known = rows(settings, status.stack.urls["warehouse"], "strategy_profit")
    except (TickhouseError, KeyError) as error:
        return f"unknown: {error}"
    return [
        StrategyProfit(row["strategy"], round(row["today"], 2), round(row["ever"], 2))
        for row in known
    ]
