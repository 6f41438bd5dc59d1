"""What one signal is decided by, taken once.

Time, quote, specification, instrument and limits are looked up once per signal, so that an
override that begins meanwhile cannot size an order by one version of the limits, check it by a
second and record a third.
"""

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from core.clock import Clock
from core.contracts.signal import OrderSignal, Signal
from core.desk import Desk
from core.instruments import instrument
from execution.journal.ledger import Ledger
from execution.order_path.quotes import Quote, Quotes
from execution.risk import portfolio_risk
from execution.risk.checks import RiskContext
from execution.risk.client_file import ClientRule
from execution.risk.drawdown import size_factor
from execution.risk.limits import Limits
from execution.risk.limits_file import LimitsFile
from execution.risk.news import News

NO_DESK = Desk(())


class Contexts:
    """Takes the context of a signal, and tells when calendar and clients' file change it.

    Args:
        limits: those in force.
        market: figures by which a strategy's regime is known; None: nobody knows one.
        news: what the calendar says; None: nothing.
        clients: what clients' files say; None: nothing, and then none may trade.
    """

    def __init__(
        self,
        limits: LimitsFile,
        clock: Clock,
        ledger: Ledger,
        venue: Venue,
        quotes: Quotes,
        *,
        market: portfolio_risk.MarketFigures | None = None,
        desk: Desk = NO_DESK,
        news: News | None = None,
        clients: ClientRule | None = None,
    ) -> None:
        self._limits, self._clock, self._ledger, self._venue = limits, clock, ledger, venue
        self._quotes, self._market, self._desk = quotes, market, desk
        self.own_limits = {one.name: one.own_limits for one in desk.strategies if one.limits}
        self.news, self.clients = news or News(None), clients or ClientRule(None)

    def of(self, signal: Signal) -> RiskContext:
        """Everything a signal is decided by, as of now.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        now, rules = self._clock.now_us(), self._limits.rules
        limits, version = rules.at(signal.symbol, now)
        version = self._desk_version(signal.strategy) + version
        traded = instrument(signal.symbol, now)
        windows = self.news.at(rules.news, signal.symbol, traded, now)
        keep = min((w.keep_share for w in windows if w.action == "reduce"), default=1.0)
        quote = self._quotes.at(signal.source, signal.symbol, now)
        if isinstance(signal, OrderSignal):
            quote = _at_price(signal, quote)
        return RiskContext(
            signal=signal,
            now_us=now,
            quote=quote,
            specification=self._venue.specification(signal.source, signal.symbol),
            instrument=traded,
            limits=limits,
            limits_version=version,
            collar=rules.own.collar,
            size_factor=keep
            * size_factor(self._ledger.activity.drawdown_share(), rules.book.breakers)
            * (self.in_regime(signal, limits, now)[0] or 1.0),  # 0: denied, see `pre_trade.py`
            news=windows,
            news_unknown=self.news.is_silent(rules.news, now),
            client=self.clients.denial(rules.client, now),
        )

    def renewed(self, context: RiskContext) -> RiskContext:
        """The context of a later leg: the answer to the one before may have taken seconds.

        The quote stays the one that the legs were planned by, and ages.
        """
        now, rules, symbol = self._clock.now_us(), self._limits.rules, context.signal.symbol
        limits, version = rules.at(symbol, now)
        version = self._desk_version(context.signal.strategy) + version
        return replace(
            context,
            now_us=now,
            instrument=instrument(symbol, now),
            limits=limits,
            limits_version=version,
            collar=rules.own.collar,
            client=self.clients.denial(rules.client, now),
        )

    def in_regime(self, signal: Signal, limits: Limits, now: int) -> tuple[float, str]:
        """Of a full position, what a strategy may hold in the regime of the feed; and which."""
        own = self.own_limits.get(signal.strategy)
        if own is None or not own.uses_regimes or self._market is None:
            return 1.0, ""
        oldest = now - int(limits.max_risk_age_s * 1e6)
        regime = self._market.regime((signal.source, signal.symbol), oldest)
        return own.regime_share(regime), regime

    def _desk_version(self, strategy: str) -> str:
        """What names the strategy's own limits, before those of the account."""
        one = self._desk.named(strategy) if strategy in self.own_limits else None
        return f"desk {one.version} under " if one else ""

    @property
    def collar(self) -> float:
        """How far from its price an order without a signal may fill."""
        return self._limits.rules.own.collar

    def flattens(self, symbol: str) -> bool:
        """Whether an event of the calendar closes positions of a symbol now."""
        now, rules = self._clock.now_us(), self._limits.rules.news
        return self.news.flattens(rules, symbol, instrument(symbol, now), now)

    def next_flatten_us(self, symbol: str, end_us: int) -> int | None:
        """When one will next, up to a time; None when none does before it."""
        now, rules = self._clock.now_us(), self._limits.rules.news
        return self.news.next_flatten_us(rules, symbol, instrument(symbol, now), now, end_us)

    def next_denied_us(self, symbol: str, end_us: int) -> int | None:
        """When calendar or client's file next let nothing open, up to a time; None: not before."""
        now, rules = self._clock.now_us(), self._limits.rules
        traded = instrument(symbol, now)
        moments = (
            self.news.next_denied_us(rules.news, symbol, traded, now, end_us),
            self.clients.next_denied_us(rules.client, now, end_us),
        )
        return min((at for at in moments if at is not None), default=None)

    def version(self, symbol: str) -> str:
        """Version of a symbol's limits now, for what is denied without a look at them."""
        return self._limits.rules.at(symbol, self._clock.now_us())[1]


def _at_price(signal: OrderSignal, quote: Quote | None) -> Quote | None:
    """The market's quote moved to where an order that waits would fill."""
    if quote is None:
        return None
    away = signal.entry_price - quote.side("buy" if signal.target > 0 else "sell")
    return quote._replace(bid=quote.bid + away, ask=quote.ask + away)
