"""What positions and orders come to: in lots, and in the account's money."""

import math
from collections.abc import Iterable

from adapters.mt5.venue.orders import Venue
from core.contracts.order import OrderEvent
from core.instruments import Instrument, instrument
from execution.journal.ledger import Ledger
from execution.journal.position import Key, Position
from execution.order_path.quotes import Quote, Quotes
from execution.order_path.valuation import notional, rate
from execution.risk import portfolio_risk
from execution.risk.checks import RiskContext
from execution.risk.firm_entry import Stake
from execution.risk.firm_rules import FirmRules
from execution.risk.margin import Funds
from execution.risk.retail import initial_margin_share


class Exposure:
    """Of one account; by our own quotes, and where those hold no rate by what the terminal says."""

    def __init__(self, ledger: Ledger, venue: Venue, quotes: Quotes, funds: Funds) -> None:
        self._ledger, self._venue, self._quotes, self._funds = ledger, venue, quotes, funds

    def net(self, feed: tuple[str, str], side: str) -> float:
        """Held, and what waits on a side: what waits on the other may never fill."""
        book = self._ledger.book
        held = sum(p.volume for p in book.positions.values() if p.key[1:] == feed)
        waits = [e for e in book.waiting(*feed) if e.side == side]
        return round(held + sum(map(signed, waits)), 8)

    def net_of(self, key: Key, side: str) -> float:
        """Lots that a strategy holds, and that wait for it on a side."""
        waits = [e for e in self._ledger.book.waiting(*key[1:]) if e.strategy == key.strategy]
        waits = [e for e in waits if e.side == side]
        return self._ledger.book.net(key) + sum(map(signed, waits))

    def floating(self, position: Position, now: int) -> float | None:
        """What a position would win or lose if it closed now; None without a price for it."""
        source, symbol, traded = *position.key[1:], instrument(position.key.symbol, now)
        quote = self._quotes.at(source, symbol, now)
        if quote is None or traded is None:
            return None
        rate_ = self.rate(source, traded, now)
        price = quote.side("sell" if position.volume > 0 else "buy")
        moved = (price - position.price) * position.volume * traded.contract_size
        return None if rate_ is None else moved * rate_

    def gross(self, context: RiskContext, strategy: str = "") -> float | None:
        """Of all positions, or a strategy's, and of entries whose outcome is not known yet."""
        book, now = self._ledger.book, context.now_us
        open_ = [
            (p.key.source, p.key.symbol, p.volume)
            for p in book.positions.values()
            if strategy in ("", p.key.strategy)
        ]
        open_ += [
            (e.source, e.symbol, e.volume)
            for e in book.unsettled.values()
            if e.purpose == "entry" and strategy in ("", e.strategy)
        ]
        total = 0.0
        for source, symbol, volume in open_:
            quote = self._quotes.at(source, symbol, now)
            value = self._value(source, symbol, instrument(symbol, now), volume, quote, now)
            if value is None:
                return None
            total += value
        return total

    def order_value(self, context: RiskContext) -> float | None:
        """Of the order that a context is about."""
        signal, volume = context.signal, context.volume
        return self._value(
            signal.source, signal.symbol, context.instrument, volume, context.quote, context.now_us
        )

    def at_risk(self, stake: Stake, now: int) -> float:
        """What it loses from now to its stop, account currency; infinite while nobody knows."""
        quote, traded = self._quotes.at(*stake.feed, now), instrument(stake.feed[1], now)
        value = self._value(*stake.feed, traded, stake.volume, quote, now)
        return stake.loss(quote.mid, value) if quote and value is not None else math.inf

    def retail_margin(self, rules: FirmRules, stakes: Iterable[Stake], now: int) -> float:
        """Initial margin of what is open, on its way and asked for; infinite without a rate."""
        if not rules.retail:
            return 0.0
        total = 0.0
        for stake in stakes:
            quote, traded = self._quotes.at(*stake.feed, now), instrument(stake.feed[1], now)
            value = self._value(*stake.feed, traded, stake.volume, quote, now)
            if value is None or traded is None:
                return math.inf
            total += value * initial_margin_share(traded, rules.retail_margins)
        return total

    def rate(self, source: str, traded: Instrument, now_us: int) -> float | None:
        """Account currency for one unit of an instrument's quote currency."""
        currency = self._funds.account().currency
        return rate(self._quotes, source, traded.quote, currency, now_us)

    def _value(
        self, source: str, symbol: str, traded: Instrument | None, volume: float,
        quote: Quote | None, now: int,
    ) -> float | None:  # fmt: skip
        """By our own quotes; where those hold no rate, by what the terminal said of a lot."""
        if traded is None or quote is None:
            return None
        value = notional(volume, traded.contract_size, quote.mid, self.rate(source, traded, now))
        if value is not None:
            return value
        specification = self._venue.specification(source, symbol)
        per_lot = specification.lot_value if specification else 0.0
        return abs(volume) * quote.mid * per_lot if per_lot > 0 else None


def on_its_way(order: OrderEvent) -> portfolio_risk.Held:
    """An order as if it were filled; its price is not known."""
    return portfolio_risk.Held((order.source, order.symbol), signed(order))


def signed(order: OrderEvent) -> float:
    """Lots of an order; sold ones below zero."""
    return order.volume if order.side == "buy" else -order.volume
