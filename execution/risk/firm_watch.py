"""A live account under its firm's rules: looked at with every look at the account.

What a restart needs is in the journal: a record is written when a day begins, at a new high, when
a rule breaks, and every few minutes; others only go out. What breaks stops trading before it is
written, so that a kill between the two stops it again.
"""

import logging
import math

from adapters.mt5.venue.venue import Account
from core.clock import Clock
from core.contracts.firm import FirmBreach, FirmRecord, FirmState
from core.sections import RunSettings
from core.trading_control import ControlCommand, Positions, State
from execution.journal.ledger import Ledger
from execution.journal.outbox import Outbox
from execution.risk import firm_rules
from execution.risk.firm_rules import FirmRules
from execution.risk.limits_file import LimitsFile
from execution.risk.trading_state import TradingState

NAME = "breaker firm"  # and the rule
_EVERY_US = 300_000_000
_log = logging.getLogger(__name__)


class FirmWatch:
    """Sees the account every second or so."""

    def __init__(
        self, run: RunSettings, clock: Clock, ledger: Ledger, outbox: Outbox, limits: LimitsFile,
        trading: TradingState,
    ) -> None:  # fmt: skip
        self._run, self._clock, self._ledger, self._outbox = run, clock, ledger, outbox
        self._limits, self._trading = limits, trading
        self._away = True  # nobody has looked since this process began
        self._kept = ledger.activity.firm  # the last state that is journalled
        self._newest: FirmRecord | None = None

    def observe(self, account: Account) -> None:
        """The account as it is now."""
        book = self._limits.rules.book
        named = book.firm_of(self._run.account)
        if named is None:
            return
        firm, rules = named
        now, activity = self._clock.now_us(), self._ledger.activity
        lots = round(sum(abs(p.volume) for p in self._ledger.book.positions.values()), 8)
        # Credit is nothing that anybody earned.
        at = firm_rules.reading(now, account.balance, account.equity - account.credit, lots)
        before = activity.firm
        if before is None or before.firm != firm:
            before = firm_rules.opened(rules, firm, at, activity.paid)
        if now < before.ts_us or not math.isfinite(account.balance + account.equity):
            return  # a clock that was set back, or no number: nothing that a day may be judged by
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
