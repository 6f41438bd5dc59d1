"""People see the newest prediction of every feed, and the flow never waits for it."""

import threading

import numpy as np
import pytest

from core.clock import ManualClock
from core.contracts import codec
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
        run_id="live", mode="demo", source="sim", symbol=symbol, received_ns=0,
        time_msc=np.array([time_msc - 1, time_msc]), seq=np.array([0, 2], "u4"), mid=np.ones(2),
        spread=np.ones(2), features=np.zeros((2, 1), "f4"),
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
    built = announcer(bus, stopped)
    for time_msc in (1_000, 2_000):
        built.note(predicted("EURUSD", time_msc, 0.5))
    built.note(predicted("XAUUSD", 3_000, 0.125))
    built.send_newest()
    built.send_newest()
    first, second = bus.messages(PREDICTIONS)
    assert first == Prediction(
        run_id="live", mode="demo", account="simulated", source="sim", symbol="EURUSD",
        ts_event_us=2_000_000, seq=2, ts_init_us=9, model="m1", p_down=0.25, p_flat=0.25, p_up=0.5,
        confidence=0.5, agreement=0.5, veto=True, edge_bp=1.5,
    )  # fmt: skip
    assert isinstance(second, Prediction)
    assert (second.symbol, second.confidence) == ("XAUUSD", 0.25)


def test_where_nothing_predicts_nothing_is_told(stopped: threading.Event) -> None:
    bus = MemoryBus()
    built = announcer(bus, stopped)
    built.note(predicted("EURUSD", 1, 0.5)._replace(predictions=None))
    built.send_newest()
    assert bus.messages(PREDICTIONS) == []


def test_every_feed_has_its_turn_however_many_there_are(stopped: threading.Event) -> None:
    bus = MemoryBus()
    built = announcer(bus, stopped)
    names = [f"S{at:02}" for at in range(2 * FEEDS_AT_ONCE)]
    for at in range(2):
        for name in names:
            built.note(predicted(name, 1_000 + at, 0.5))
        built.send_newest()
    reported = [m.symbol for m in bus.messages(PREDICTIONS) if isinstance(m, Prediction)]
    assert reported == names


def test_while_the_bus_is_away_nothing_piles_up(stopped: threading.Event) -> None:
    bus = _Away()
    built = announcer(bus, stopped)
    built.note(predicted("EURUSD", 1_000, 0.5))
    built.send_newest()
    built.note(predicted("EURUSD", 2_000, 0.5))
    bus.up = bus.refuses = True
    built.send_newest()  # lost, and said in the log
    bus.refuses = False
    built.note(predicted("EURUSD", 3_000, 0.5))
    built.send_newest()
    (reported,) = bus.messages(PREDICTIONS)
    assert isinstance(reported, Prediction)
    assert reported.ts_event_us == 3_000_000


def test_it_sends_by_itself_until_stopped() -> None:
    bus, stopping = MemoryBus(), threading.Event()
    built = announcer(bus, stopping)
    built.note(predicted("EURUSD", 1_000, 0.5))
    subscriber = bus.subscribe(PREDICTIONS)
    while (sent := subscriber.next(0.5)) is None:
        pass
    stopping.set()
    reported = codec.decode(PREDICTIONS.name, sent.payload)
    assert (reported.symbol, reported.ts_event_us) == ("EURUSD", 1_000_000)
