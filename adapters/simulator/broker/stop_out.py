"""Stop-out: the broker closes positions when equity has fallen to half of the margin they need.

ESMA's product intervention on CFDs (decision 2018/796, article 2c) has retail accounts closed out
at 50 % of the required margin; MetaTrader 5 closes the position with the largest loss first, and
looks again after each. Equity is not worked out at every quote: between two bookings each position
has a price short of which the account cannot be that low, whatever the others do.
"""

from collections.abc import Mapping
from typing import NamedTuple

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradeRequest
from adapters.simulator.broker.matching import AccountPosition

LEVEL = 0.5  # of margin
_SHORT_OF = 0.999  # cents are rounded
_OTHER_CURRENCY = 0.9  # the rate may move meanwhile


class Guard(NamedTuple):
    """Until when, and up to which prices, nothing has to be worked out."""

    until_msc: int
    prices: Mapping[int, float]  # by ticket


class Valued(NamedTuple):
    """A position's price now, and what a move of 1 is worth in account currency."""

    position: AccountPosition
    price: float
    per_price: float
    converted: bool  # from another currency


def is_due(equity: float, margin: float) -> bool:
    """Whether the broker closes something."""
    return margin > 0 and equity <= LEVEL * margin


def guard(headroom: float, held: list[Valued], until_msc: int) -> Guard:
    """Prices at which each of n positions has lost an n-th of what the account can lose.

    While none of them is reached, all together have lost less. Without margin nothing is closed.
    """
    if headroom <= 0:
        return Guard(until_msc, {})
    prices = {}
    for one in held:
        share = headroom / len(held) * (_OTHER_CURRENCY if one.converted else _SHORT_OF)
        if one.per_price > 0:
            away = share / one.per_price
            price = one.price - away if one.position.long else one.price + away
            if price > 0:
                prices[one.position.ticket] = price
    return Guard(until_msc, prices)


def form(position: AccountPosition, equity: float, margin: float) -> TradeRequest:
    """The closing, with the comment that MetaTrader 5 gives it."""
    return TradeRequest(
        symbol=position.symbol, volume=position.volume, magic=position.magic,
        type=mt5.ORDER_TYPE_SELL if position.long else mt5.ORDER_TYPE_BUY,
        comment=f"[so {100 * equity / margin:.1f}%]", type_filling=mt5.ORDER_FILLING_FOK,
    )  # fmt: skip
