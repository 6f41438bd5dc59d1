"""Breakers of a replay: what trips follows from ticks and journal alone, in market time.

A flash crash trips at the quote that shows it, rejects and latency at the answer that does; a
restart reads the same ticks and folds the same journal, and stands where it stood. A lost
terminal or a jumping clock are the machine's troubles, not the market's: a replay waits, and
trips on neither. Nobody resumes in a replay, so what tripped holds to its end.

The modelled broker's delay is counted up to the newest quote that the order missed: where a
market is silent for seconds nobody can be filled, and that is no slowness of a broker. An order
that waits for its price says nothing of it.
"""

from collections import deque
from typing import NamedTuple

from adapters.bus.base import Publisher
from core.contracts import codec
from core.contracts.firm import FirmRecord
from core.contracts.operations import RiskState
from core.contracts.order import AccountState, OrderEvent
from core.contracts.order import EventKind as Kind
from core.contracts.tick import TickArray
from core.sections import RunSettings
from core.topics import RISK
from core.trading_control import ControlCommand
from execution.breakers import breakers
from execution.breakers.flash_crash_scan import FlashCrashScan
from execution.journal.records import Record
from execution.order_path.quotes import ReplayQuotes, tape
from execution.risk import drawdown
from execution.risk.account_past import AccountPast
from execution.risk.activity import Activity
from execution.risk.firm_watch import command
from execution.risk.limits import Action
from execution.risk.limits_file import LimitsFile
from execution.risk.trading_state import TradingState


class Filled(NamedTuple):
    """An order's fill whose wait is not checked yet: times in microseconds."""

    source: str
    symbol: str
    sent_us: int
    filled_us: int
    journalled_us: int


class ReplayBreakers(Activity):
    """What was sent and answered so far, and what that trips.

    It is the ledger's own fold, so that a restart sees every answer of the journal again.
    """

    def __init__(
        self,
        limits: LimitsFile,
        trading: TradingState,
        bus: Publisher,
        run: RunSettings,
        quotes: ReplayQuotes,
    ) -> None:
        super().__init__()
        self._limits, self._trading, self._bus, self._run = limits, trading, bus, run
        self._quotes, self._loaded_us = quotes, 0
        self._scans: dict[tuple[str, str], FlashCrashScan] = {}
        self._coming: deque[ControlCommand] = deque()
        self._submitted: dict[str, int] = {}
        self._filled: deque[Filled] = deque()
        self._waits_us: deque[int] = deque(maxlen=breakers.ANSWERS)
        self.past = AccountPast() if limits.rules.firm else None

    def load(self, slices: dict[tuple[str, str], list[TickArray]], end_us: int) -> None:
        """Look at the ticks of the next slice, which the quotes hold; `until` then trips."""
        self._loaded_us = end_us
        commands = [
            command
            for feed, arrays in slices.items()
            for command in self._flash_crashes(feed, arrays)
        ]
        self._coming.extend(sorted(commands, key=lambda command: command.ts_us))

    def forget(self) -> None:
        """Trip nothing of what was loaded: those ticks come before the span that is traded."""
        self._coming.clear()

    def until(self, now_us: int) -> None:
        """Trip what quotes and fills up to a time show."""
        while self._filled and self._filled[0].filled_us <= self._loaded_us:
            self._check_wait(self._filled.popleft())
        while self._coming and self._coming[0].ts_us <= now_us:
            self._trip(self._coming.popleft())

    def fold(self, record: Record) -> None:
        """Fold one journalled record in."""
        super().fold(record)
        if self.past is not None:
            self.past.fold(record)
        if isinstance(record, FirmRecord):
            self._check_firm(record)
        if isinstance(record, AccountState):
            self._check_drawdown(record.ts_init_us)
        if not isinstance(record, OrderEvent):
            return
        if record.kind is Kind.SUBMITTED and not record.reason:  # the reason is what it waits for
            self._submitted[record.order_id] = record.ts_init_us
        elif record.kind is Kind.REJECTED:
            limits = self._limits.rules.book.breakers
            if text := breakers.too_many_rejects(self, limits, record.ts_init_us):
                self._trip_by(limits.rejects, "rejects", text, record.ts_init_us)
        elif record.kind is Kind.FILLED and record.order_id in self._submitted:
            sent_us = self._submitted.pop(record.order_id)
            times = sent_us, record.ts_event_us, record.ts_init_us
            self._filled.append(Filled(record.source, record.symbol, *times))

    def _check_drawdown(self, now_us: int) -> None:
        share, limits = self.drawdown_share(), self._limits.rules.book.breakers
        wanted = drawdown.action(share, limits)
        self._trip_by(wanted, "drawdown", drawdown.reason(share, limits), now_us)

    def _check_firm(self, record: FirmRecord) -> None:
        for breach in record.breaches:
            order = command(record.action, breach)
            if order is not None:
                self._trip(order)

    def _check_wait(self, fill: Filled) -> None:
        missed = self._quotes.at(fill.source, fill.symbol, fill.filled_us - 1)
        self._waits_us.append(max(missed.time_us - fill.sent_us, 0) if missed else 0)
        limits = self._limits.rules.book.breakers
        if text := breakers.too_slow([wait * 1000 for wait in self._waits_us], limits):
            self._trip_by(limits.latency, "latency", text, fill.journalled_us)

    def _flash_crashes(
        self, feed: tuple[str, str], arrays: list[TickArray]
    ) -> list[ControlCommand]:
        source, symbol = feed
        limits = self._limits.rules.book.breakers_of(symbol)
        if limits.crash == "none":
            return []
        scan = self._scans.setdefault(feed, FlashCrashScan(limits))
        shown = [crash for ticks in arrays if (crash := scan.observe(tape(ticks)))]
        return [
            ControlCommand(
                limits.crash, "breaker crash", breakers.flash_crash_text(source, symbol, crash),
                crash.time_us,
            )
            for crash in shown
        ]  # fmt: skip

    def _trip_by(self, action: Action, name: str, reason: str, now_us: int) -> None:
        if action != "none":
            self._trip(ControlCommand(action, f"breaker {name}", reason, now_us))

    def _trip(self, order: ControlCommand) -> None:
        if not self._trading.trip(order):
            return
        run = self._run
        state = RiskState(
            run_id=run.run_id, mode=run.mode, account=run.account, ts_event_us=order.ts_us,
            ts_init_us=order.ts_us, state=order.state, by=order.by, reason=order.reason,
        )  # fmt: skip
        name = f"{run.run_id}.{run.account}.risk.{order.ts_us}.{order.state}.{order.by}"
        self._bus.send(RISK, run.account, codec.encode(state), name.replace(" ", "-"))
