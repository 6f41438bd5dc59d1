"""Money of the account at one moment: balance, floating profit and margin."""

from typing import NamedTuple

from adapters.simulator.broker.books import AccountBooks
from adapters.simulator.broker.costs import money
from adapters.simulator.broker.pricing import Pricing


class Totals(NamedTuple):
    """Money of the account at one moment, account currency."""

    balance: float
    profit: float  # floating, with swaps
    margin: float
    credit: float = 0.0

    @property
    def equity(self) -> float:
        """Balance with credit and the floating profit."""
        return money(self.balance + self.credit + self.profit)


def totals(pricing: Pricing, state: AccountBooks, at_msc: int) -> Totals:
    """Balance, floating profit and margin at a market time."""
    held = state.positions.values()
    profit = sum(pricing.floating(position, at_msc)[1] + position.swap for position in held)
    margin = money(sum(p.margin for p in held))
    return Totals(state.balance, money(profit), margin, state.credit)
