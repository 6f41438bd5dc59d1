"""Rates to the account's currency from the market's own quotes.

A rate is the mid of the pair that holds both currencies (EURUSD as it is, USDJPY inverted).
Of several brokers' quotes the position's own source comes first. No chains of two pairs.
"""

from adapters.mt5.real.symbols import Feed
from adapters.simulator.markets.tape import Quote, TapedMarket

MAX_AGE_MSC = 3_600_000


class Rates:
    """Converts money of a quote currency to the account's."""

    def __init__(self, market: TapedMarket, currency: str) -> None:
        """`currency`: the account's."""
        self._market, self._currency = market, currency

    def rate(
        self, quote: str, source: str, at_msc: int, max_age_msc: int | None = MAX_AGE_MSC
    ) -> float | None:
        """Account currency per unit of `quote` at a market time.

        None when no quote exists by then, or only ones older than `max_age_msc` (None: any age).
        """
        if quote == self._currency:
            return 1.0
        for feed, inverted in self._pairs(quote, source):
            newest = self._market.tape(*feed).last_until(at_msc)
            if newest and (max_age_msc is None or at_msc - newest.time_msc <= max_age_msc):
                return 1.0 / _mid(newest) if inverted else _mid(newest)
        return None

    def _pairs(self, quote: str, source: str) -> list[tuple[Feed, bool]]:
        wanted = {quote + self._currency: False, self._currency + quote: True}
        feeds = [feed for feed in self._market.feeds() if feed[1] in wanted]
        feeds.sort(key=lambda feed: feed[0] != source)  # stable: own source first
        return [(feed, wanted[feed[1]]) for feed in feeds]


def _mid(quote: Quote) -> float:
    return (quote.bid + quote.ask) / 2
