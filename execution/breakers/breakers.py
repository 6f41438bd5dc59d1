"""Breakers: what stops trading without a person.

Each does what the limits file says: nothing, reducing, or halted; and holds until a person
resumes. Only a lost terminal that answers again is taken back by itself, for brokers restart theirs
every night, and so is a disk that has space again. Those of a replay are in `replay_breakers`.
"""

from collections.abc import Sequence
from statistics import median

from core.clock import Clock, SystemTimer, Timer
from core.contracts.tick import TickArray
from core.trading_control import ControlCommand
from execution.breakers.flash_crash import FlashCrash, FlashCrashWatch
from execution.journal.space import Room
from execution.order_path.quotes import tape
from execution.risk.activity import Activity
from execution.risk.limits import Action
from execution.risk.limits import Breakers as Thresholds
from execution.risk.limits_file import LimitsFile
from execution.risk.trading_state import TradingState

ANSWERS = 5  # of the venue, whose median wait counts
_MINUTE_US = 60_000_000
_OLD_US = 300_000_000  # ticks older than this when they arrive are history, not the market


class Breakers:
    """All breakers of one account. `ticks` and `look` may be called from different threads."""

    def __init__(
        self,
        limits: LimitsFile,
        trading: TradingState,
        clock: Clock,
        activity: Activity,
        timer: Timer = SystemTimer(),  # noqa: B008 - it has no state
        room: Room | None = None,
    ) -> None:
        self._limits, self._trading, self._clock = limits, trading, clock
        self._activity, self._timer, self._room = activity, timer, room
        self._watches: dict[tuple[str, str], tuple[str, FlashCrashWatch]] = {}
        self._away_since_s: float | None = None  # by the timer: a clock set back delays no halt
        self._offset_us = self._offset()

    def ticks(self, source: str, symbol: str, ticks: TickArray) -> None:
        """Check ticks that came in, dtype TICK, shape (n,): crashes, ticks from the future."""
        fresh, now = tape(ticks), self._clock.now_us()
        if not len(fresh.time_us):
            return
        limits = self._limits.rules.book.breakers_of(symbol)
        ahead = (int(fresh.time_us[-1]) - now) / 1e6
        if ahead > limits.max_drift_s:
            self._trip(limits.drift, "drift", f"{symbol}: a tick is {ahead:.1f} s ahead of us")
        mids = (fresh.bid + fresh.ask) / 2
        watch = self._watch(source, symbol, limits)
        flash_crash = watch.observe_all(zip(fresh.time_us.tolist(), mids.tolist(), strict=True))
        if flash_crash is not None and now - flash_crash.time_us < _OLD_US:
            self._trip(limits.crash, "crash", flash_crash_text(source, symbol, flash_crash))

    def check(self, waits_ns: Sequence[int], *, away: bool) -> None:
        """Check everything but quotes. `waits_ns`: for the last answers of the venue."""
        limits, now = self._limits.rules.book.breakers, self._clock.now_us()
        self._check_terminal(limits, now, away=away)
        self._check_rejects(limits, now)
        self._check_clock(limits)
        self._check_disk(limits, now)
        if text := too_slow(waits_ns, limits):
            self._trip(limits.latency, "latency", text)

    def _check_terminal(self, limits: Thresholds, now: int, *, away: bool) -> None:
        if not away:
            if self._away_since_s is not None:
                back = ControlCommand(
                    "active", "breaker disconnected", "the terminal answers again", now
                )
                self._trading.trip(back)
            self._away_since_s = None
            return
        at = self._timer.seconds()
        self._away_since_s = at if self._away_since_s is None else self._away_since_s
        lost_s = at - self._away_since_s
        if lost_s > limits.max_away_s:
            self._trip(limits.disconnected, "disconnected", f"no terminal for {lost_s:.0f} s")

    def _check_rejects(self, limits: Thresholds, now: int) -> None:
        if text := too_many_rejects(self._activity, limits, now, self._resumed()):
            self._trip(limits.rejects, "rejects", text)

    def _check_clock(self, limits: Thresholds) -> None:
        before, self._offset_us = self._offset_us, self._offset()
        jump = (self._offset_us - before) / 1e6
        if abs(jump) > limits.max_drift_s:
            self._trip(limits.drift, "drift", f"our clock jumped by {jump:+.1f} s")

    def _check_disk(self, limits: Thresholds, now: int) -> None:
        """What opens now must still find room in the journal when it closes."""
        if self._room is None:
            return
        free = self._room.free_mib()
        if free < limits.min_free_mib:
            text = f"{free:.0f} MiB free on the journal's disk, limit {limits.min_free_mib:.0f}"
            self._trip(limits.disk, "disk", text)
        elif free >= 2 * limits.min_free_mib:
            self._trading.trip(
                ControlCommand("active", "breaker disk", "the disk has space again", now)
            )

    def _offset(self) -> int:
        return self._clock.now_us() - round(self._timer.seconds() * 1e6)

    def _resumed(self) -> int:
        """Orders before a person resumed do not count again."""
        order = self._trading.current
        return order.ts_us if order.state == "active" else 0

    def _watch(self, source: str, symbol: str, limits: Thresholds) -> FlashCrashWatch:
        version = self._limits.rules.book.version
        known, watch = self._watches.get((source, symbol), ("", None))
        if watch is None:
            watch = FlashCrashWatch(limits)
        elif known != version:
            watch.use(limits)
        self._watches[source, symbol] = version, watch
        return watch

    def _trip(self, action: Action, name: str, reason: str) -> None:
        if action != "none":
            order = ControlCommand(action, f"breaker {name}", reason, self._clock.now_us())
            self._trading.trip(order)


def flash_crash_text(source: str, symbol: str, flash_crash: FlashCrash) -> str:
    """What a flash crash looks like, for a person."""
    moved = f"{flash_crash.move:.2%} within {flash_crash.window_s} s"
    return f"{source} {symbol}: {moved}, limit {flash_crash.limit:.2%}"


def too_many_rejects(activity: Activity, limits: Thresholds, now_us: int, since_us: int = 0) -> str:
    """What is wrong with the orders of the last minute, or since a later time; "" for nothing."""
    orders, rejected = activity.answers(max(now_us - _MINUTE_US, since_us))
    if orders >= limits.min_orders and rejected > limits.max_reject_share * orders:
        return f"{rejected} of {orders} orders were rejected within a minute"
    return ""


def too_slow(waits_ns: Sequence[int], limits: Thresholds) -> str:
    """What is wrong with the last answers of the venue; "" for nothing."""
    wait_ms = median(waits_ns) / 1e6 if waits_ns and len(waits_ns) >= limits.min_answers else 0.0
    if wait_ms > limits.max_send_ms:
        return f"the venue answers in {wait_ms:.0f} ms, limit {limits.max_send_ms:.0f}"
    return ""
