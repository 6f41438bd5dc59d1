"""One chaos run: start, trade, trouble, rest, drain, and then the account of it."""

import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from adapters.clickhouse import client
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.settings import Settings
from execution.journal import journal
from execution.journal.book import HELD, Book
from tests.chaos import promises
from tests.chaos.faults import Fault
from tests.chaos.market import market
from tests.chaos.people import Person, Trader
from tests.chaos.stack import Rig, running
from tests.chaos.terminal import account
from tests.support.waiting import until

_WARM_MS = 60_000  # so much of the recording is over when the run begins
_REST_S = 90.0


class Plan(NamedTuple):
    """How a run is made."""

    seed: int
    faults: Iterable[Fault]
    every_s: float = 0.12  # between two signals
    paced: bool = False  # plain signals, nobody halts: for the seconds of unavailability
    netting: bool = False  # two strategies share the positions of a netting account
    waiting: int = 0  # orders that wait, and one that was changed, without which trading goes on


class Away(NamedTuple):
    """Seconds without a signal that became an order in time."""

    over_s: float  # of the whole run
    whole_s: float  # no feed
    feeds_s: dict[str, float]  # each feed by itself


class Result(NamedTuple):
    """What happened, and which promises broke."""

    inflicted: Counter[str]
    kinds: Counter[str]
    accepted: int
    settled: int
    restarts: dict[str, int]
    halts: int
    away: Away
    left: promises.Left
    broken: dict[str, list[str]]
    seconds: float

    @property
    def held(self) -> bool:
        """Whether every promise did."""
        return not any(self.broken.values())


def run(plan: Plan, home: Path, tell: Callable[[str], None] = lambda _: None) -> Result:
    """Do it. What it leaves in `home` is not removed."""
    begun, begin_msc = time.monotonic(), time.time_ns() // 1_000_000 - _WARM_MS
    quoted = market(begin_msc)
    symbols = tuple(symbol for _, symbol in quoted.feeds())
    inflicted: Counter[str] = Counter()
    with running(home, begin_msc, symbols, netting=plan.netting) as rig:
        trader = Trader(rig.settings, quoted, plan.seed, plan.every_s, plain=plan.paced)
        person = Person(home, rig.settings, plan.seed, halts=not plan.paced)
        tell(f"started after {time.monotonic() - begun:.0f} s")
        trading_us = time.time_ns() // 1000
        trader.start()
        person.start()
        for number, fault in enumerate(plan.faults, 1):
            tell(f"{number:4} {fault}")
            rig.inflict(fault)
            inflicted[f"{fault.kind} {fault.target}"] += 1
        rig.heal()
        time.sleep(3.0 if plan.paced else 0.5)
        # On a busy machine few signals become orders while the faults last: trading goes on.
        until(lambda: has_traded(person.journal, plan.waiting), 300.0, every_s=0.3)
        trader.finish()
        ended_us = time.time_ns() // 1000
        tell(f"rest after {time.monotonic() - begun:.0f} s")
        _rest(rig, person, last=next(reversed(trader.signals), ""))
        tell(f"at rest after {time.monotonic() - begun:.0f} s")
        stored = _stored(rig, person)
        person.finish()
        restarts = {name: s.restarts for name, s in rig.stack.state().items() if s.restarts}
    terminal = account(home, begin_msc, netting=plan.netting)
    remains = promises.left(home, person.journal, terminal, stored, person.halts)
    broken = promises.broken(remains)
    terminal.shutdown()
    return Result(
        inflicted=inflicted, kinds=Counter(e.kind.value for e in remains.events),
        accepted=len(remains.requests), settled=len(person.settled), restarts=restarts,
        halts=len(person.halts), away=away(remains.events, trader.signals, (trading_us, ended_us)),
        left=remains, broken=broken, seconds=time.monotonic() - begun,
    )  # fmt: skip


def has_traded(path: Path, waiting: int) -> bool:
    """Whether a journal holds so many orders that waited, and one that was changed, if any."""
    events = list(journal.events(path)) if waiting else []
    waited = sum(event.kind is Kind.SUBMITTED and bool(event.reason) for event in events)
    changed = any(event.kind is Kind.MODIFIED for event in events)
    return waited >= waiting and (changed or not waiting)


def _rest(rig: Rig, person: Person, last: str) -> None:
    """Everything works, nobody wants anything: until nothing is open or unsettled.

    Not before the `last` signal is journalled: on a busy machine execution may be behind, and what
    it takes from the bus after a moment without positions would open one.
    """
    rig.wait_ready()
    deadline = time.monotonic() + _REST_S
    while time.monotonic() < deadline:
        if is_at_rest(person.journal, last):
            return
        time.sleep(0.3)


def is_at_rest(path: Path, last: str) -> bool:
    """Whether a journal holds the last signal, and nothing open or unsettled."""
    book, reached = Book(), not last
    for place in journal.read(path):
        book.apply(place.record)
        reached = reached or getattr(place.record, "signal_id", "") == last
    return reached and not book.positions and not book.unsettled


def _stored(rig: Rig, person: Person) -> list[tuple[str, str, str]]:
    """The rows of `order_event`, once as many are there as in the journal, or time is up."""
    deadline, rows = time.monotonic() + 30, []
    while time.monotonic() < deadline:
        expected = sum(1 for _ in journal.events(person.journal))
        rows = _rows(rig.settings)
        if len(rows) >= expected:
            break
        time.sleep(0.2)
    return rows


def _rows(settings: Settings) -> list[tuple[str, str, str]]:
    connection = client.connect(settings.clickhouse)
    try:
        rows = connection.query("SELECT event_id, kind, hash FROM order_event FINAL").result_rows
        return [(str(a), str(b), str(c)) for a, b, c in rows]
    finally:
        connection.close()


def away(
    events: list[OrderEvent], signals: dict[str, tuple[str, int]], span_us: tuple[int, int]
) -> Away:
    """Seconds in which no signal was carried out within a second of being made.

    A gap between two that were counts beyond twice the usual distance of two signals.
    """
    times: dict[str, list[int]] = {feed: [] for feed, _ in signals.values()}
    for event in events:
        feed, at_us = signals.get(event.signal_id, ("", 0))
        done = event.kind is Kind.FILLED or event.reason == HELD
        if feed and done and event.ts_init_us - at_us < 1_000_000:
            times[feed].append(event.ts_init_us)
    usual_us = (span_us[1] - span_us[0]) / max(len(signals), 1)
    every = sorted(at for of_feed in times.values() for at in of_feed)
    feeds = {
        feed: _gaps(instants, span_us, 2 * usual_us * len(times))
        for feed, instants in times.items()
    }
    return Away((span_us[1] - span_us[0]) / 1e6, _gaps(every, span_us, 2 * usual_us), feeds)


def _gaps(times: list[int], span_us: tuple[int, int], usual_us: float) -> float:
    ends = [span_us[0], *sorted(times), span_us[1]]
    gaps = [b - a for a, b in itertools.pairwise(ends)]
    return sum(gap - usual_us for gap in gaps if gap > usual_us + 500_000) / 1e6


def scratch() -> Path:
    """A home for one run."""
    return Path(tempfile.mkdtemp(prefix="tickhouse-chaos-"))
