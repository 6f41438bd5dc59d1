"""What live execution does beside signals, some times a second: it watches broker and account.

Orders without an answer, what the broker did to positions, stops that follow the price, the
account's history and balance, what waits at the venue during a halt, health and breakers. A
terminal that is away is asked again later.
"""

from typing import NamedTuple

from core.clock import Timer
from core.errors import UnavailableError
from execution.breakers.breakers import Breakers
from execution.broker.account_history import AccountHistory
from execution.broker.every import Every
from execution.broker.lots_agreement import LotsAgreement
from execution.broker.reconcile import Reconciler
from execution.broker.working_orders import WorkingOrders
from execution.heartbeat import HeartbeatPublisher
from execution.order_path.engine import Engine
from execution.order_path.stops import Stops
from execution.risk.drawdown import DrawdownLadder
from execution.risk.equity import EquityWatch
from execution.risk.firm_watch import FirmWatch
from execution.risk.limits_file import LimitsFile
from execution.risk.margin import CachedFunds
from execution.risk.trading_state import TradingState

_BROKER_S = 0.2
_ACCOUNT_S = 1.0


class PollerParts(NamedTuple):
    """What is watched, and by whom. `unsigned`: of settings that are not obeyed, as they are not as
    people signed; "" when they are.
    """

    engine: Engine
    reconciler: Reconciler
    stops: Stops
    events: AccountHistory
    working: WorkingOrders
    equity: EquityWatch
    ladder: DrawdownLadder
    funds: CachedFunds
    trading: TradingState
    unsigned: str = ""
    firm: FirmWatch | None = None
    lots: LotsAgreement | None = None  # where strategies share positions


class AccountPoller:
    """Polls each of them when it is due."""

    def __init__(
        self, watched: PollerParts, timer: Timer, limits: LimitsFile | None = None,
        breakers: Breakers | None = None, heartbeat: HeartbeatPublisher | None = None,
    ) -> None:  # fmt: skip
        self._w, self._limits = watched, limits
        self._breakers, self._heartbeat = breakers, heartbeat
        self._often, self._seldom = Every(_BROKER_S, timer), Every(_ACCOUNT_S, timer)
        self._away = False  # the terminal, when last asked

    def poll(self) -> None:
        """Poll what is due."""
        if not self._often.is_due():
            return
        try:
            self._at_broker()
            self._away = False
        except UnavailableError:
            self._away = True
        self._report_health()
        if self._breakers:
            self._breakers.check(self._w.engine.waits_ns, away=self._away)

    def recover(self) -> None:
        """Settle and take up what happened while nobody looked.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        self._w.reconciler.at_start()
        self._w.engine.poll()
        self._look_at_account()  # before a signal is taken: what was lost meanwhile counts
        self._w.engine.finish()

    def close(self) -> None:
        """The process ends."""
        self._w.equity.keep()
        if self._w.firm:
            self._w.firm.keep()

    def _at_broker(self) -> None:
        self._w.reconciler.again()
        self._w.engine.poll()
        self._w.engine.finish()
        if self._w.engine.sends:  # in shadow nothing is, not even what reduces risk
            self._w.stops.follow()
            self._w.engine.changes.follow()
            self._w.engine.changing.withdraw()
            if self._w.trading.state == "halted":
                self._w.working.cancel()
        if self._seldom.is_due() or self._away:  # only an answer shows that it is back
            self._w.funds.refresh()
            self._look_at_account()

    def _look_at_account(self) -> None:
        self._w.engine.contexts.news.poll()
        self._w.engine.contexts.clients.poll()
        account = self._w.events.poll()
        if self._w.lots:
            self._w.lots.poll()
        self._w.ladder.take_up()
        if account is not None:
            self._w.equity.observe(account)
            self._w.ladder.check()
            if self._w.firm:
                self._w.firm.observe(account)

    def _report_health(self) -> None:
        if self._heartbeat is None:
            return
        problem = "the terminal does not answer" if self._away else self._w.events.problem
        problem = problem or (self._w.lots.problem if self._w.lots else "")
        problem = problem or (self._limits.problem if self._limits else "")
        problem = problem or self._w.trading.problem or self._w.unsigned
        problem = problem or self._w.engine.contexts.news.problem
        problem = problem or self._w.engine.contexts.clients.problem
        if problem:
            self._heartbeat.degraded(problem)
        else:
            self._heartbeat.well()
