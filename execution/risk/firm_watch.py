"""A live account under its firm's rules: looked at with every look at the account.

What a restart needs is in the journal: a record is written when a day begins, at a new high, when
a rule breaks, and every few minutes; others only go out. What breaks stops trading before it is
written, so that a kill between the two stops it again.
"""

import logging
import math

from adapters.mt5.venue.venue import Account
from core.clock import Clock, Timer
from core.contracts.firm import FirmBreach, FirmRecord, FirmState
from core.instruments import instrument
from core.sections import RunSettings
from core.trading_control import ControlCommand, Positions, State
from execution.journal.ledger import Ledger
from execution.journal.outbox import Outbox
from execution.journal.position import Position
from execution.order_path.quotes import Quotes
from execution.order_path.valuation import notional, rate
from execution.risk import firm_rules
from execution.risk.day_clock import DayClock
from execution.risk.firm_rules import FirmRules
from execution.risk.limits_file import LimitsFile
from execution.risk.retail import initial_margin_share
from execution.risk.trading_state import TradingState

NAME = "breaker firm"  # and the rule
_EVERY_US = 300_000_000
_log = logging.getLogger(__name__)


class FirmWatch:
    """Sees the account every second or so."""

    def __init__(
        self, *, run: RunSettings, clock: Clock, timer: Timer, ledger: Ledger, outbox: Outbox,
        limits: LimitsFile, trading: TradingState, quotes: Quotes,
    ) -> None:  # fmt: skip
        self._quotes, self._clock = quotes, DayClock(clock, timer)
        self._run, self._ledger, self._outbox = run, ledger, outbox
        self._limits, self._trading = limits, trading
        self._away = True  # nobody has looked since this process began, or the machine slept
        self._kept = ledger.activity.firm  # the last state that is journalled
        self._newest: FirmRecord | None = None

    def observe(self, account: Account) -> None:
        """The account as it is now."""
        book = self._limits.rules.book
        named = book.firm_of(self._run.account)
        if named is None:
            return
        firm, rules = named
        activity = self._ledger.activity
        before = activity.firm
        now, jumped = self._clock.now()
        self._away = self._away or jumped
        if before is not None and before.firm == firm:
            now = max(now, before.ts_us)  # set back, a clock takes no loss and no day away
        held = self._ledger.book
        ours = sum(abs(p.volume) for p in held.positions.values())
        lots = round(ours + held.broker.lots_of_others(), 8)
        # Credit is nothing that anybody earned.
        margin = self._retail_margin(rules, account.currency, now)
        equity = account.equity - account.credit
        at = firm_rules.reading(now, account.balance, equity, lots, margin)
        if before is None or before.firm != firm:
            before = firm_rules.opened(rules, firm, at, activity.paid)
        if not math.isfinite(account.balance + account.equity):
            return  # no number: nothing that a day may be judged by
        state, breaches = firm_rules.fold(
            rules, before, at, paid=activity.paid, entries=activity.entered, away=self._away
        )
        self._away = False
        news = record(self._run, self._ledger, rules, state, breaches, now, book.version)
        self._stop(news)
        self._tell(news)

    def keep(self) -> None:
        """Journal the last state: before the process ends."""
        if self._newest is not None and self._newest.state is not self._kept:
            self._keep(self._newest)

    def _retail_margin(self, rules: FirmRules, currency: str, now: int) -> float:
        """Of all positions as they were opened; NaN, which breaks no rule, without a rate."""
        if not rules.retail:
            return 0.0
        return sum(
            opening_margin(rules, self._quotes, currency, position, now)
            for position in self._ledger.book.positions.values()
        )

    def _stop(self, news: FirmRecord) -> None:
        for breach in news.breaches:
            order = command(news.action, breach)
            if order is not None and self._trading.trip(order):
                _log.warning("trading %s: %s", order.state, order.reason)

    def _tell(self, news: FirmRecord) -> None:
        before, self._newest = self._newest, news
        if self._kept is None or news.breaches or _differs(news.state, self._kept):
            self._keep(news)
            return
        self._ledger.activity.firm = news.state
        if before is None or news.figures != before.figures:
            self._outbox.add(news, self._ledger.book)

    def _keep(self, news: FirmRecord) -> None:
        self._ledger.record([news])
        self._kept = news.state


def opening_margin(
    rules: FirmRules, quotes: Quotes, currency: str, held: Position, now_us: int
) -> float:
    """What a retail client's position took, account currency at today's rate; NaN without one."""
    source, symbol = held.key.source, held.key.symbol
    traded = instrument(symbol, now_us)
    if traded is None:
        return math.nan
    converted = rate(quotes, source, traded.quote, currency, now_us)
    value = notional(held.volume, traded.contract_size, held.price, converted)
    share = initial_margin_share(traded, rules.retail_margins)
    return math.nan if value is None else value * share


def command(action: str, breach: FirmBreach) -> ControlCommand | None:
    """What a breach does to trading; None where the rules say that nothing is done."""
    if action == "none":
        return None
    text = f"{breach.rule.replace('_', ' ')}: {breach.observed:,.2f} of {breach.limit:,.2f}"
    state: State = "reducing" if action == "reducing" else "halted"
    positions: Positions = "flatten" if action == "flatten" else "keep"
    return ControlCommand(state, f"{NAME} {breach.rule}", text, breach.ts_us, positions)


def record(
    run: RunSettings, ledger: Ledger, rules: FirmRules, state: FirmState,
    breaches: tuple[FirmBreach, ...], now_us: int, version: str,
) -> FirmRecord:  # fmt: skip
    """The state as it is journalled and told."""
    last = ledger.book.last
    return FirmRecord(
        run_id=run.run_id, mode=run.mode, account=run.account, ts_init_us=now_us,
        seq=last.seq if last else 0, version=version, state=state, breaches=breaches,
        figures=tuple(firm_rules.figures(rules, state)),
        action=rules.on_breach if rules.enforce and breaches else "none",
    )  # fmt: skip


def _differs(state: FirmState, kept: FirmState) -> bool:
    """Whether a restart needs the newer of two."""
    moved = ("firm", "day_us", "traded", "paid", "standing", "high_balance", "high_equity")
    if any(getattr(state, name) != getattr(kept, name) for name in moved):
        return True
    return state.ts_us >= kept.ts_us + _EVERY_US
