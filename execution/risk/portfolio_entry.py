"""Whether an entry may go by what all positions and orders on their way risk together."""

from core.contracts.order import OrderEvent
from execution.journal.ledger import Ledger
from execution.risk import portfolio_risk
from execution.risk.checks import Denial, RiskContext
from execution.risk.exposure import on_its_way
from execution.risk.margin import Funds


class PortfolioEntry:
    """`market`: how feeds move; None: nobody knows, and limits on the portfolio deny."""

    def __init__(
        self, ledger: Ledger, funds: Funds, market: portfolio_risk.MarketFigures | None
    ) -> None:
        self._ledger, self._funds, self._market = ledger, funds, market
        self._prepared: OrderEvent | None = None  # the newest one that the figures know of

    def check(self, context: RiskContext, order: OrderEvent) -> Denial | None:
        """What all positions and this order would risk together."""
        if not portfolio_risk.is_limited(context.limits):
            return None
        account = self._funds.account()
        figures = self._market.at(account.currency) if self._market else None
        return portfolio_risk.check(
            context.limits, figures, self._held_with(order), on_its_way(order), account.equity,
            context.now_us,
        )  # fmt: skip

    def check_while_waiting(self, context: RiskContext, order: OrderEvent) -> Denial | None:
        """The same for one that waits, in a book without it."""
        if not portfolio_risk.is_limited(context.limits):
            return None
        self._prepared = None  # the figures then stand for that book
        with self._ledger.book.without(order.order_id):
            return self.check(context, order)

    def prepare(self) -> None:
        """Value what is held once it has changed, before the next order asks: for who has time."""
        newest = self._ledger.book.last
        if self._market is not None and newest is not self._prepared:
            self._prepared = newest
            self._market.prepare(self._held_with(None))

    def _held_with(self, order: OrderEvent | None) -> list[portfolio_risk.Held]:
        """Positions, and entries whose outcome is not known yet; an order has those beside it."""
        book = self._ledger.book
        held = [portfolio_risk.Held(p.key[1:], p.volume, p.price) for p in book.positions.values()]
        return held + [
            on_its_way(e)
            for e in book.unsettled.values()
            if e.purpose == "entry" and not (order and self._may_lack(e, order))
        ]

    def _may_lack(self, waits: OrderEvent, order: OrderEvent) -> bool:
        """Whether one that waits would take from an order's risk, which it may never do."""
        same_feed = (waits.source, waits.symbol) == (order.source, order.symbol)
        return (
            waits.order_id in self._ledger.book.working and same_feed and waits.side != order.side
        )
