"""The order that a signal wants, before anybody has checked it."""

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from core.contracts.order import OrderEvent
from core.contracts.signal import Signal
from core.sections import RunSettings
from execution.journal import events
from execution.journal.ledger import Ledger
from execution.journal.position import Key
from execution.order_path.quotes import Quote
from execution.order_path.sizing import Leg
from execution.risk.checks import RiskContext

NO_LEG = Leg("", 0.0, 0)


class WantedOrders:
    """Of one account."""

    def __init__(self, ledger: Ledger, venue: Venue, run: RunSettings) -> None:
        self._ledger, self._venue, self._run = ledger, venue, run

    def under(self, context: RiskContext, leg: Leg) -> OrderEvent:
        """Of one leg, under the context of its signal."""
        return self.of(context.signal, leg, context.quote, context.now_us)

    def of(self, signal: Signal, leg: Leg, quote: Quote | None, now_us: int) -> OrderEvent:
        """Of one leg, by a quote of now."""
        held = self._ledger.book.positions.get(leg.ticket)
        attempt = held.attempt if held else 0
        order = events.of_signal(signal, leg, attempt, quote, now_us, self._run)
        return order if leg.ticket else self._kept_tight(order)

    def _kept_tight(self, order: OrderEvent) -> OrderEvent:
        """On a netting account an entry's stop becomes the position's: it must not loosen it."""
        sign = 1 if order.side == "buy" else -1
        held = [p for p in self._ledger.book.of(key_of(order)) if p.volume * sign > 0]
        stops = [stop for p in held for stop in (p.stop_price, p.moving) if stop]
        if not stops or not self._venue.netting:
            return order
        return replace(order, stop_price=sign * max(sign * s for s in (*stops, order.stop_price)))


def key_of(record: Signal | OrderEvent) -> Key:
    """Whose position it is about."""
    return Key(record.strategy, record.source, record.symbol)
