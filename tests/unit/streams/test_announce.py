"""People see the newest prediction of every feed, and the flow never waits for it."""

import threading

import numpy as np
import pytest

from core.clock import ManualClock
from core.contracts.prediction import Prediction
from core.errors import UnavailableError
from core.sections import RunSettings
from core.topics import PREDICTIONS, Topic
from models.serving.predictor import Predictions
from streams.announce import FEEDS_AT_ONCE, Announcer
from streams.records import Predicted, Sampled
from tests.support.memory_bus import MemoryBus


def predicted(symbol: str, time_msc: int, up: float) -> Predicted:
    sampled = Sampled(
        "live", "demo", "sim", symbol, 0, np.array([time_msc - 1, time_msc]),
        np.array([0, 2], "u4"), np.ones(2), np.ones(2), np.zeros((2, 1), "f4"),
    )  # fmt: skip
    shares = np.array([[1, 0, 0], [0.25, 0.75 - up, up]], "f4")
    agreement, veto = np.array([0, 0.5], "f4"), np.array([False, True])
    predictions = Predictions(
        shares, agreement, veto, np.zeros(2, "u4"), shares[None], np.zeros(2, "u4")
    )  # fmt: skip
    return Predicted(sampled, "m1", predictions, np.array([0.0, 1.5]))


class _Away(MemoryBus):
    """A bus that may be away, or refuses."""

    up, refuses = False, False

    def healthy(self) -> bool:
        return self.up

    def send(self, topic: Topic, key: str, payload: bytes, message_id: str = "") -> None:
        if self.refuses:
            raise UnavailableError("full")
        super().send(topic, key, payload, message_id)


@pytest.fixture
def stopped() -> threading.Event:
    """Already set: the tests say when to send."""
    event = threading.Event()
    event.set()
    return event


def announcer(bus: MemoryBus, stopped: threading.Event) -> Announcer:
    return Announcer(bus, RunSettings(), ManualClock(9), stopped)


def test_the_newest_row_of_a_feed_is_told_once(stopped: threading.Event) -> None:
    bus = MemoryBus()
    made = announcer(bus, stopped)
    for time_msc in (1_000, 2_000):
        made.note(predicted("EURUSD", time_msc, 0.5))
    made.note(predicted("XAUUSD", 3_000, 0.125))
    made.send_newest()
    made.send_newest()
    first, second = bus.messages(PREDICTIONS)
    assert first == Prediction(
        "live", "demo", "simulated", "sim", "EURUSD", 2_000_000, 2, 9,
        "m1", 0.25, 0.25, 0.5, 0.5, 0.5, True, 1.5,
    )  # fmt: skip
    assert isinstance(second, Prediction)
    assert (second.symbol, second.confidence) == ("XAUUSD", 0.25)


def test_where_nothing_predicts_nothing_is_told(stopped: threading.Event) -> None:
    bus = MemoryBus()
    made = announcer(bus, stopped)
    made.note(predicted("EURUSD", 1, 0.5)._replace(predictions=None))
    made.send_newest()
    assert bus.messages(PREDICTIONS) == []


def test_every_feed_has_its_turn_however_many_there_are(stopped: threading.Event) -> None:
    bus = MemoryBus()
    made = announcer(bus, stopped)
    names = [f"S{at:02}" for at in range(2 * FEEDS_AT_ONCE)]
    for at in range(2):
        for name in names:
            made.note(predicted(name, 1_000 + at, 0.5))
        made.send_newest()
    told = [m.symbol for m in bus.messages(PREDICTIONS) if isinstance(m, Prediction)]
    assert told == names


def test_while_the_bus_is_away_nothing_piles_up(stopped: threading.Event) -> None:
    bus = _Away()
    made = announcer(bus, stopped)
    made.note(predicted("EURUSD", 1_000, 0.5))
    made.send_newest()
    made.note(predicted("EURUSD", 2_000, 0.5))
    bus.up = bus.refuses = True
    made.send_newest()  # lost, and said in the log
    bus.refuses = False
    made.note(predicted("EURUSD", 3_000, 0.5))
    made.send_newest()
    (told,) = bus.messages(PREDICTIONS)
    assert isinstance(told, Prediction)
    assert told.ts_event_us == 3_000_000


def test_it_sends_by_itself_until_stopped() -> None:
    bus, stopping = MemoryBus(), threading.Event()
    made = announcer(bus, stopping)
    made.note(predicted("EURUSD", 1_000, 0.5))
    subscriber = bus.subscribe(PREDICTIONS)
    while subscriber.next(0.5) is None:
        pass
    stopping.set()
