"""The account over time, journalled as far as limits on losses need it after a restart.

Its highest equity and the equity at which the trading day began are a fold over the account
states in the journal (`execution/risk/activity.py`). So a state is journalled when it makes a new
high, when a trading day begins (with the last one seen of the day before), and every few minutes;
others only go out.
"""

import logging

from adapters.mt5.venue.venue import Account
from core.clock import Clock, Timer
from core.contracts.order import AccountState
from core.instruments import trading_day
from core.sections import RunSettings
from execution.journal.ledger import Ledger
from execution.journal.outbox import Outbox
from execution.risk.day_clock import DayClock

_log = logging.getLogger(__name__)
_EVERY_US = 300_000_000


class EquityWatch:
    """Sees the account every second or so."""

    def __init__(
        self, run: RunSettings, clock: Clock, timer: Timer, ledger: Ledger, outbox: Outbox
    ) -> None:
        self._run, self._clock = run, DayClock(clock, timer)
        self._ledger, self._outbox = ledger, outbox
        self._last: AccountState | None = None  # seen
        self._kept_us = 0  # when one was journalled
        if ledger.book.last is not None and ledger.activity.equity is None:
            _log.warning("no equity in the journal yet: daily loss and drawdown count from now on")

    def observe(self, account: Account) -> None:
        """The account as it is now."""
        before, now = self._last, self._state(account)
        self._last = now
        if self._counts(now, before):
            self._keep(now, before)
        elif before is None or _money(now) != _money(before):
            self._ledger.activity.account(now.equity, now.ts_init_us)
            self._outbox.add(now, self._ledger.book)

    def keep(self) -> None:
        """Journal the last state seen: before the process ends, or before what is based on it."""
        if self._last is not None and self._last.ts_init_us != self._kept_us:
            self._ledger.record([self._last])
            self._kept_us = self._last.ts_init_us

    def _counts(self, now: AccountState, before: AccountState | None) -> bool:
        known = self._ledger.activity.equity
        if before is None or known is None or now.equity > known.peak:
            return True
        waited_us = abs(now.ts_init_us - self._kept_us)  # a clock may be set back
        return trading_day(now.ts_init_us) > known.day or waited_us >= _EVERY_US

    def _keep(self, now: AccountState, before: AccountState | None) -> None:
        begins = before is not None and trading_day(now.ts_init_us) != trading_day(
            before.ts_init_us
        )
        unkept = before is not None and before.ts_init_us != self._kept_us
        ending = [before] if before is not None and begins and unkept else []
        self._ledger.record([*ending, now])
        self._kept_us = now.ts_init_us

    def _state(self, account: Account) -> AccountState:
        run, (now, _), last = self._run, self._clock.now(), self._ledger.book.last
        return AccountState(
            run_id=run.run_id, mode=run.mode, account=run.account, ts_event_us=now, ts_init_us=now,
            seq=last.seq if last else 0, currency=account.currency, balance=account.balance,
            equity=account.equity, margin=account.margin,
        )  # fmt: skip


def _money(state: AccountState) -> tuple[float, float, float]:
    return state.balance, state.equity, state.margin
