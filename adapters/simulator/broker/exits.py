"""How a position comes to its stop or take-profit, and what is charged on the way there."""

from msgspec.structs import replace

from adapters.simulator.broker import operations
from adapters.simulator.broker.books import AccountBooks, BookedDeal
from adapters.simulator.broker.costs import money
from adapters.simulator.broker.matching import AccountPosition, ReachedExit
from adapters.simulator.broker.pricing import Pricing


def settled(
    pricing: Pricing, position: AccountPosition, until_msc: int
) -> tuple[AccountPosition, ReachedExit | None]:
    """Charge swaps up to a time or to the stop that was reached before it."""
    if until_msc <= position.seen_msc:
        return position, None
    swap, reached = pricing.settle(position, until_msc)
    until_msc = reached.quote.time_msc if reached else until_msc
    return replace(position, swap=swap, seen_msc=until_msc), reached


def book_exit(
    pricing: Pricing, state: AccountBooks, position: AccountPosition, reached: ReachedExit
) -> None:
    """Book a stop or take-profit, with the comment MetaTrader 5 gives it."""
    time_msc = reached.quote.time_msc
    known = pricing.known(position.feed, time_msc)
    profit = pricing.profit(position, position.volume, reached.price, time_msc)
    commission = -money(known.commission * position.volume)
    form = operations.exit_form(position, reached.reason, known.digits)
    deal = BookedDeal(reached.price, time_msc, time_msc, commission, profit, 0.0, reached.reason)
    state.close(position, form, deal)
