"""What was sent and lost so far, as the limits on repetition and loss need it.

A fold over the journal, like the book: a restart sees what the process before it saw. Nothing
here is asked of the venue or the machine's clock.
"""

from collections import deque
from datetime import date
from typing import NamedTuple

from core.contracts.firm import FirmRecord, FirmState
from core.contracts.order import AccountState, DenialReason, OrderEvent
from core.contracts.order import EventKind as Kind
from core.instruments import trading_day
from execution.journal.records import Record
from execution.journal.virtual import RESIDUE

_SECOND_US = 1_000_000
_KEEP = 10_000  # newest orders and answers remembered
#: Purpose of the record that a person has resumed after the ladder of drawdown.
DRAWDOWN_ACCEPTED = "drawdown_accepted"
_PAYMENTS = ("deposit", "withdrawal", "credit")
_FILLS = (Kind.PARTIALLY_FILLED, Kind.FILLED, Kind.CLOSED)
_MESSAGES = (
    Kind.SUBMITTED, Kind.STOP_MOVING, Kind.CANCELLING, Kind.MODIFYING,
)  # fmt: skip  # what the venue gets


class Equity(NamedTuple):
    """The account over time, in its currency."""

    day: date
    opening: float  # when the trading day began, 17:00 New York
    peak: float  # highest ever seen
    last: float


class Activity:
    """Orders sent, answers, latched throttles, and the account's high and opening."""

    def __init__(self) -> None:
        self.equity: Equity | None = None
        self.firm: FirmState | None = None  # under its firm's rules, when last looked at
        self.entered: list[int] = []  # when positions were opened since that
        self.paid = 0.0  # into the account, less what was paid out
        self._sent: deque[int] = deque(maxlen=_KEEP)
        self._answers: deque[tuple[int, bool]] = deque(maxlen=_KEEP)  # when, whether rejected
        self._entries: dict[tuple[str, str, str], deque[int]] = {}
        self._throttled: dict[tuple[str, str, str], int] = {}
        self._profits: dict[str, tuple[date, float]] = {}  # by strategy, of its last trading day

    def fold(self, record: Record) -> None:
        """Fold one journalled record in."""
        if isinstance(record, OrderEvent):
            self._event(record)
        elif isinstance(record, AccountState):
            self.account(record.equity, record.ts_init_us)
        elif isinstance(record, FirmRecord):
            self.firm = record.state
            self.entered = [at for at in self.entered if at > record.state.ts_us]

    def account(self, equity: float, now_us: int) -> None:
        """The account as it was seen at a time."""
        day = trading_day(now_us)
        before = self.equity
        if before is None:
            self.equity = Equity(day, equity, equity, equity)
        else:
            # A clock that is set back begins no other day.
            opening = before.last if day > before.day else before.opening
            self.equity = Equity(max(day, before.day), opening, max(before.peak, equity), equity)

    def _moved(self, amount: float) -> None:
        """Money that was paid in or out is neither gain nor loss."""
        if self.equity is not None:
            day, opening, peak, last = self.equity
            self.equity = Equity(day, opening + amount, peak + amount, last + amount)

    def _accepted(self) -> None:
        """Drawdown counts anew from here."""
        if self.equity is not None:
            self.equity = self.equity._replace(peak=self.equity.last)

    def opening(self, now_us: int) -> float:
        """Equity when the trading day began; 0 while nobody knows."""
        if self.equity is None:
            return 0.0
        later = trading_day(now_us) > self.equity.day
        return self.equity.last if later else self.equity.opening

    def daily_loss(self, equity: float, now_us: int) -> float:
        """Loss since the trading day began; below 0 for a gain."""
        return self.opening(now_us) - equity if self.equity else 0.0

    def drawdown(self, equity: float) -> float:
        """How far the account is below the highest equity seen."""
        return max(self.equity.peak - equity, 0.0) if self.equity else 0.0

    def drawdown_share(self) -> float:
        """How far the account was below its highest equity when last seen, as a share of that."""
        if self.equity is None or self.equity.peak <= 0:
            return 0.0
        return self.drawdown(self.equity.last) / self.equity.peak

    def profit_of_day(self, strategy: str, now_us: int) -> float:
        """What a strategy realised in the trading day, after commission and swap."""
        day, profit = self._profits.get(strategy, (None, 0.0))
        return profit if day == trading_day(now_us) else 0.0

    def messages(self, now_us: int) -> int:
        """Orders and changes sent in the second before a time."""
        return _within(self._sent, now_us - _SECOND_US)

    def repeats(self, key: tuple[str, str, str], since_us: int) -> int:
        """Entries of (strategy, source, symbol) sent after a time."""
        return _within(self._entries.get(key, ()), since_us)

    def throttled_us(self, key: tuple[str, str, str]) -> int:
        """When a throttle of (strategy, source, symbol) closed; 0 when it never did."""
        return self._throttled.get(key, 0)

    def answers(self, since_us: int) -> tuple[int, int]:
        """Orders answered after a time, and how many of them the venue rejected."""
        outcomes = []
        for time_us, rejected in reversed(self._answers):
            if time_us <= since_us:
                break
            outcomes.append(rejected)
        return len(outcomes), sum(outcomes)

    def _event(self, event: OrderEvent) -> None:
        key = event.strategy, event.source, event.symbol
        if event.kind is Kind.BOOKED and event.purpose in _PAYMENTS:
            self._moved(event.profit)
            self.paid = round(self.paid + event.profit * (event.purpose != "credit"), 8)
        if event.kind is Kind.BOOKED and event.purpose == DRAWDOWN_ACCEPTED:
            self._accepted()
        if event.kind in _FILLS and event.purpose == "entry" and self.firm is not None:
            self.entered.append(event.ts_event_us)
        if event.kind in _FILLS or (event.kind is Kind.BOOKED and event.purpose == RESIDUE):
            self._realised(event)
        if event.kind in _MESSAGES:
            self._sent.append(event.ts_init_us)
        if event.kind is Kind.SUBMITTED:
            if event.purpose == "entry":
                self._entries.setdefault(key, deque(maxlen=_KEEP)).append(event.ts_init_us)
        elif event.kind in (Kind.ACCEPTED, Kind.REJECTED):
            self._answers.append((event.ts_init_us, event.kind is Kind.REJECTED))
        elif event.kind is Kind.DENIED and event.reason == DenialReason.THROTTLED:
            self._throttled[key] = event.ts_init_us

    def _realised(self, event: OrderEvent) -> None:
        day = trading_day(event.ts_event_us)
        known, before = self._profits.get(event.strategy, (day, 0.0))
        money = event.profit + event.commission + event.swap
        if day >= known:
            self._profits[event.strategy] = day, money + (before if day == known else 0.0)


def _within(times: "deque[int] | tuple[()]", since_us: int) -> int:
    count = 0
    for time_us in reversed(times):
        if time_us <= since_us:
            break
        count += 1
    return count
