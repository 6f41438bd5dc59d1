"""The ladder of drawdown: the further below its highest equity an account is, the less it may do.

From `half_at_drawdown` new entries have half their size, from `reducing_at_drawdown` none are made
and exits pass, from `halted_at_drawdown` trading is halted. The last two hold until a person
resumes; the ladder then counts anew from the equity of that moment, which is journalled with the
person's name and reason. Thresholds are shares of the highest equity; one at `inf` is none.
"""

import logging

from adapters.mt5.venue.venue import Fill
from core.clock import Clock
from core.sections import RunSettings
from core.trading_control import ControlCommand
from execution.journal import events
from execution.journal.ledger import Ledger
from execution.journal.position import Key
from execution.risk.activity import DRAWDOWN_ACCEPTED
from execution.risk.equity import EquityWatch
from execution.risk.limits import Action, Breakers
from execution.risk.limits_file import LimitsFile
from execution.risk.trading_state import TradingState

_log = logging.getLogger(__name__)
NAME = "breaker drawdown"


def action(share: float, thresholds: Breakers) -> Action:
    """What a drawdown asks for. `share` of the highest equity."""
    if share >= thresholds.halted_at_drawdown:
        return "halted"
    return "reducing" if share >= thresholds.reducing_at_drawdown else "none"


def size_factor(share: float, thresholds: Breakers) -> float:
    """By how much new entries are made smaller."""
    return 0.5 if share >= thresholds.half_at_drawdown else 1.0


def reason(share: float, thresholds: Breakers) -> str:
    """What tripped, for a person."""
    halts = action(share, thresholds) == "halted"
    limit = thresholds.halted_at_drawdown if halts else thresholds.reducing_at_drawdown
    return f"equity is {share:.2%} below its highest, limit {limit:.2%}"


class DrawdownLadder:
    """The two upper rungs of a live account; the lowest is a matter of sizing."""

    def __init__(
        self, run: RunSettings, clock: Clock, ledger: Ledger, equity: EquityWatch,
        limits: LimitsFile, trading: TradingState,
    ) -> None:  # fmt: skip
        self._run, self._clock, self._ledger, self._equity = run, clock, ledger, equity
        self._limits, self._trading = limits, trading

    def take_up(self) -> None:
        """A person resumed: count anew from what was known then; before a look at the account."""
        person = self._trading.lifted(NAME)
        if person is not None:
            self._accept(person)

    def check(self) -> None:
        """Climb; after each look at the account."""
        activity, thresholds = self._ledger.activity, self._limits.rules.book.breakers
        share = activity.drawdown_share()
        wanted = action(share, thresholds)
        if wanted == "none":
            return
        order = ControlCommand(wanted, NAME, reason(share, thresholds), self._clock.now_us())
        if self._trading.trip(order):
            _log.warning("trading %s: %s", wanted, order.reason)

    def _accept(self, person: ControlCommand) -> None:
        now, text = self._clock.now_us(), f"accepted by {person.by}: {person.reason}"
        nothing = Fill(
            order=0, deal=0, position=0, time_us=now, side="buy", volume=0.0, price=0.0,
            commission=0.0, swap=0.0, profit=0.0, cause=DRAWDOWN_ACCEPTED,
        )  # fmt: skip
        nobody = Key("", "", "")
        event = events.booked(nothing, nobody, now, self._run, text, name=f"{person.ts_us}")
        if event.order_id not in self._ledger.book.orders:  # else killed before it was forgotten
            self._equity.keep()  # a restart counts from the same
            self._ledger.record([event])
            self._ledger.sync()
        self._trading.forget(NAME)
