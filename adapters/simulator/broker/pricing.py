"""What a simulated account's lots and positions are worth, in its currency, at a market time."""

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.real.symbols import Feed
from adapters.simulator.broker.conversion import MAX_AGE_MSC, Rates
from adapters.simulator.broker.costs import money, nights, quote_profit
from adapters.simulator.broker.matching import AccountPosition, ReachedExit, Refused, find_exit
from adapters.simulator.broker.stop_out import Valued
from adapters.simulator.markets.tape import TapedMarket
from core.instruments import Instrument, instrument

_NO_TIME_MSC = 4_102_444_800_000  # 2100-01-01


class Pricing:
    """Looks up quotes, rates and reference data of one market for one account currency."""

    def __init__(self, market: TapedMarket, currency: str) -> None:
        self._market, self._rates = market, Rates(market, currency)
        self._currency = currency

    def instrument(self, feed: Feed, at_msc: int) -> Instrument | None:
        """Reference data of a feed's symbol at a time; the newest for a caller without a time."""
        return instrument(feed[1], (at_msc or _NO_TIME_MSC) * 1000)

    def known(self, feed: Feed, at_msc: int) -> Instrument:
        """As `instrument`.

        Raises:
            Refused: there is none (10017).
        """
        known = self.instrument(feed, at_msc)
        if known is None:
            raise Refused(
                mt5.TRADE_RETCODE_TRADE_DISABLED,
                f"No reference data of {feed[1]}: add it to instruments.toml",
            )
        return known

    def floating(self, position: AccountPosition, at_msc: int) -> tuple[float, float]:
        """Price at which a position would close now, and its profit without swap."""
        at_msc = max(at_msc, position.time_msc)
        quote = self._market.tape(*position.feed).last_until(at_msc)
        if quote is None:
            return position.price, 0.0
        price = quote.sell if position.long else quote.buy
        return price, self.profit(position, position.volume, price, at_msc)

    def valued(self, position: AccountPosition, at_msc: int) -> Valued:
        """A position's price, and what a move of it by 1 is worth."""
        price, _ = self.floating(position, at_msc)
        known = self.known(position.feed, at_msc)
        rate = self._rate(known.quote, position.feed[0], at_msc)
        per_price = position.volume * known.contract_size * rate
        return Valued(position, price, per_price, known.quote != self._currency)

    def profit(self, position: AccountPosition, volume: float, price: float, at_msc: int) -> float:
        """Profit of closing so many lots at a price."""
        known = self.known(position.feed, at_msc)
        amount = quote_profit(position.long, volume, known.contract_size, position.price, price)
        return money(amount * self._rate(known.quote, position.feed[0], at_msc))

    def margin(self, feed: Feed, volume: float, price: float, at_msc: int) -> float:
        """Margin of an order in account currency: a share of its notional.

        Raises:
            Refused: no reference data (10017) or no conversion rate (10021).
        """
        known = self.known(feed, at_msc)
        notional = volume * known.contract_size * price
        rate = self._rates.rate(known.quote, feed[0], at_msc)
        if rate is None:
            raise Refused(
                mt5.TRADE_RETCODE_PRICE_OFF,
                f"No {known.quote} rate within {MAX_AGE_MSC // 60_000} min",
            )
        return money(notional * known.margin_rate * rate)

    def settle(self, position: AccountPosition, until_msc: int) -> tuple[float, ReachedExit | None]:
        """Swap up to a time, or to the stop or take-profit that was reached before it."""
        if until_msc <= position.seen_msc:
            return position.swap, None
        reached = find_exit(position, self._market.tape(*position.feed), until_msc)
        until_msc = reached.quote.time_msc if reached else until_msc
        swap = position.swap
        for time_msc, count in nights(position.seen_msc, until_msc):
            swap = money(swap + self._swap(position, time_msc) * count)
        return swap, reached

    def _swap(self, position: AccountPosition, at_msc: int) -> float:
        known = self.known(position.feed, at_msc)
        points = known.swap_long if position.long else known.swap_short
        amount = points * known.point * known.contract_size * position.volume
        return money(amount * self._rate(known.quote, position.feed[0], at_msc))

    def _rate(self, quote: str, source: str, at_msc: int) -> float:
        # What is already open must be valued: the newest rate, however old. One existed at entry.
        return self._rates.rate(quote, source, at_msc, max_age_msc=None) or 0.0
