import random
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from core.contracts import codec
from core.contracts.order import EventKind, ExecutionMarker, OrderEvent
from core.topics import SIGNALS, TICKS, Topic
from tests.support import replays
from tests.support.memory_bus import MemoryBus
from tests.unit.execution.desk import Unreliable


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MemoryBus]:
    home, bus = tmp_path_factory.mktemp("reference"), replays.filled_bus()
    assert replays.run(home, bus)
    return home, bus


def deliveries(seed: int) -> list[tuple[Topic, bytes]]:
    """Both topics in their own order, interleaved at random, some messages twice."""
    rng = random.Random(seed)
    queues = [
        [(TICKS, p) for part in replays.parts() for p in part.ticks],
        [(SIGNALS, p) for part in replays.parts() for p in part.signals],
    ]
    delivered = []
    while any(queues):
        queue = rng.choice([q for q in queues if q])
        delivered.append(queue.pop(0))
        if rng.random() < 0.2:
            delivered.append(delivered[-1])
    return delivered


def test_a_replay_trades_in_every_way(reference: tuple[Path, MemoryBus]) -> None:
    seen = {(event.kind, event.purpose) for event in replays.events(reference[0])}
    assert {purpose for kind, purpose in seen if kind is EventKind.FILLED} == {
        "entry", "opposite", "horizon",
    }  # fmt: skip
    assert (EventKind.CLOSED, "stop") in seen
    assert {EventKind.DENIED, EventKind.REJECTED} <= {kind for kind, _ in seen}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_in_which_topics_arrive_makes_no_difference(
    reference: tuple[Path, MemoryBus], tmp_path: Path, seed: int
) -> None:
    bus = MemoryBus()
    for topic, payload in deliveries(seed):
        bus.publish(topic, "k", payload)
    replays.run(tmp_path, bus)
    assert replays.events(tmp_path) == replays.events(reference[0])
    assert replays.published(bus) == replays.published(reference[1])


def test_every_signal_is_received_once_and_every_slice_marked(
    reference: tuple[Path, MemoryBus],
) -> None:
    events = replays.events(reference[0])
    received = [e.signal_id for e in events if e.kind is EventKind.RECEIVED]
    assert sorted(received) == sorted(s.signal_id for s in replays.signals())
    markers = [m for m in replays.published(reference[1]) if isinstance(m, ExecutionMarker)]
    assert [m.slice for m in markers] == [*range(1, len(markers)), len(markers) - 1]
    assert [m.end for m in markers] == [False] * (len(markers) - 1) + [True]


def test_no_time_is_earlier_than_one_before_in_the_same_order_and_none_is_the_machines(
    reference: tuple[Path, MemoryBus],
) -> None:
    events = replays.events(reference[0])
    begin = replays.TUESDAY * 1000
    end = begin + (replays.MINUTES + 3) * 60_000_000
    assert all(begin <= e.ts_event_us <= e.ts_init_us <= end for e in events)


def test_the_books_profit_is_the_accounts(
    reference: tuple[Path, MemoryBus],
) -> None:
    events = replays.events(reference[0])
    money = sum(e.profit + e.commission + e.swap for e in events)
    account = replays.terminal(reference[0])
    account.at(replays.TUESDAY + 3_600_000)
    assert account.account_info().balance == pytest.approx(100_000 + money, abs=1e-6)
    deals = account.history_deals_get(0, 4e9)
    account.shutdown()
    booked = [e.venue_deal for e in events if e.venue_deal]
    assert sorted(booked) == [d.ticket for d in deals if d.ticket > 1]


def test_a_finished_replay_run_again_changes_nothing(
    reference: tuple[Path, MemoryBus],
) -> None:
    home, bus = reference
    before = (home / "journal").read_bytes(), replays.published(bus)
    assert replays.run(home, bus)
    assert ((home / "journal").read_bytes(), replays.published(bus)) == before


def test_lost_answers_of_the_venue_leave_no_trace(
    reference: tuple[Path, MemoryBus], tmp_path: Path
) -> None:
    unreliable = Unreliable(replays.terminal(tmp_path))
    rng = random.Random(5)
    unreliable.lose = [rng.choice(["", "answer", "request"]) for _ in range(400)]
    replays.run(tmp_path, replays.filled_bus(), unreliable)
    assert replays.events(tmp_path) == replays.events(reference[0])
    sent = [e for e in replays.events(tmp_path) if e.kind is EventKind.ACCEPTED]
    accepted = (tmp_path / "account.log").read_text().count('"request"')
    assert accepted == len(sent)


class Dying(Unreliable):
    """Ends the process before or after every tenth stop is moved."""

    def order_send(self, request: Any) -> Any:
        stop = request["action"] == mt5.TRADE_ACTION_SLTP
        if stop and random.random() < 0.1:
            raise KeyboardInterrupt
        answer = super().order_send(request)
        if stop and random.random() < 0.1:
            raise KeyboardInterrupt
        return answer


def run_until_done(home: Path, bus: MemoryBus) -> int:
    """Restart a replay until it ends; how often it died."""
    died = 0
    while True:
        try:
            assert replays.run(home, bus, Dying(replays.terminal(home)))  # type: ignore[arg-type]
        except KeyboardInterrupt:
            died += 1
        else:
            return died


def test_exits_by_take_profit_and_trailing_stop_repeat_whatever_was_lost_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replays.signal

    def trailing(*args: Any) -> Any:
        signal = plain(*args)
        away = abs(signal.reference_price - signal.stop_price) if signal.stop_price else 0.0
        gain = signal.reference_price + 0.12 * (away if signal.target > 0 else -away)
        return replace(signal, trail=away * 0.2, take_profit=gain if away else 0.0)

    monkeypatch.setattr(replays, "signal", trailing)
    (tmp_path / "whole").mkdir()
    (tmp_path / "lossy").mkdir()
    replays.run(tmp_path / "whole", replays.filled_bus())
    expected = replays.events(tmp_path / "whole")
    moved = [e for e in expected if e.kind is EventKind.STOP_MOVED]
    assert len(moved) > 20
    assert {"stop", "take_profit"} <= {e.reason for e in expected if e.kind is EventKind.CLOSED}
    unreliable, rng = Unreliable(replays.terminal(tmp_path / "lossy")), random.Random(5)
    unreliable.lose = [rng.choice(["", "answer", "request"]) for _ in range(600)]
    replays.run(tmp_path / "lossy", replays.filled_bus(), unreliable)
    assert replays.events(tmp_path / "lossy") == expected
    last: dict[int, float] = {}
    for (
        event
    ) in moved:  # a stop never loosens: of a long position it rises, of a short one it falls
        sign = 1 if event.side == "sell" else -1
        assert sign * (event.stop_price - last.get(event.venue_position, -sign * 1e9)) > 0
        last[event.venue_position] = event.stop_price


def test_without_signals_only_the_clock_moves(tmp_path: Path) -> None:
    bus = MemoryBus()
    for part in replays.parts():
        for payload in part.ticks:
            bus.publish(TICKS, "k", payload)
        [batch] = part.signals
        decoded: Any = codec.decode("signals", batch)
        empty = replace(decoded, signals=[])
        bus.publish(SIGNALS, "k", codec.encode(empty))
    assert replays.run(tmp_path, bus)
    assert replays.events(tmp_path) == []
    assert not any(isinstance(m, OrderEvent) for m in replays.published(bus))
