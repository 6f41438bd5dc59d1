"""Trading never waits for the bus; what waits comes again from the journal."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.bus.nats.bus import NatsBus
from core.contracts import codec
from core.contracts.order import OrderEvent
from core.errors import MessageError
from core.sections import BusSettings
from core.topics import ORDER_EVENTS
from execution.journal.outbox import Outbox, posts_of
from execution.journal.publisher import JournalPublisher
from tests.support.memory_bus import MemoryBus
from tests.support.servers import NatsServer
from tests.unit.execution.desk import RUN, Desk


class MoodyBus(MemoryBus):
    """Is away when told to be."""

    away = False

    def healthy(self) -> bool:
        return not self.away


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    opened.close()


def published(desk: Desk, bus: MemoryBus | NatsBus, limit: int = 100) -> JournalPublisher:
    """The desk's events go to a bus through a publisher from now on."""
    publisher = JournalPublisher(bus, RUN, lambda: posts_of(desk.journal, RUN), limit)
    desk.outbox = desk.ledger._outbox = Outbox(bus, desk.journal, RUN, publisher)
    return publisher


def events(bus: MemoryBus) -> list[str]:
    return [m.event_id for m in bus.messages(ORDER_EVENTS) if isinstance(m, OrderEvent)]


def trade(desk: Desk, seconds: float) -> None:
    desk.at(seconds)
    desk.engine.on_signal(desk.signal(1.0 if int(seconds) % 2 else 0.0))
    desk.outbox.publish()


def test_what_is_journalled_while_the_bus_is_away_is_delivered_in_order(desk: Desk) -> None:
    bus = MoodyBus()
    publisher = published(desk, bus)
    bus.away = True
    trade(desk, 3)
    assert not publisher.deliver()
    trade(desk, 4)
    bus.away = False
    assert publisher.deliver()
    assert events(bus) == [r.event_id for r in desk.journal.records() if isinstance(r, OrderEvent)]


def test_too_much_is_forgotten_and_read_from_the_journal_again(desk: Desk) -> None:
    bus = MoodyBus()
    publisher = published(desk, bus, limit=12)
    trade(desk, 3)
    publisher.deliver()
    bus.away = True
    for seconds in range(4, 10):
        trade(desk, seconds)
    assert len(publisher._queue) <= 12
    bus.away = False
    assert publisher.deliver()
    journalled = [r for r in desk.journal.records() if isinstance(r, OrderEvent)]
    known = [r.event_id for r in journalled]
    outcomes = Counter[str]()
    for name, labels, count in publisher.measured():
        if name == "tickhouse_order_events_total":
            outcomes[labels[0]] += round(count)
    assert outcomes == Counter(r.kind.value for r in journalled), (
        "each once, also what was sent again"
    )
    assert sorted(set(events(bus))) == sorted(known)
    assert len(events(bus)) == len(known)  # ids make a second time harmless


def test_a_message_that_the_bus_refuses_ends_trading_and_not_only_its_publisher(desk: Desk) -> None:
    class Refusing(MoodyBus):
        def send(self, *_: object) -> None:
            raise MessageError("refused")

    publisher = published(desk, Refusing())
    publisher.start()
    trade(desk, 3)
    assert publisher._thread
    publisher._thread.join(10)
    with pytest.raises(MessageError, match="refused"):
        trade(desk, 4)


def test_with_the_bus_really_stopped_trading_goes_on_and_the_bus_hears_of_it_later(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "bus").mkdir()
    with NatsServer(tmp_path / "bus") as server:
        bus = NatsBus(BusSettings(url=server.url), "courier")
        publisher = published(desk, bus)
        publisher.start()
        trade(desk, 3)
        server.kill()
        done = threading.Event()

        def without_a_bus() -> None:
            for seconds in (4, 5, 6):
                trade(desk, seconds)
            done.set()

        worker = threading.Thread(target=without_a_bus)
        worker.start()
        assert done.wait(30)  # it would be a minute for each flush
        worker.join()
        server.start()
        expected = [r.event_id for r in desk.journal.records() if isinstance(r, OrderEvent)]
        ids = received(bus, expected[-1])
        publisher.close()
        bus.close()
    assert sorted(set(ids)) == sorted(expected)


def received(bus: NatsBus, last: str) -> list[str]:
    subscriber, ids = bus.subscribe(ORDER_EVENTS), list[str]()
    deadline = time.monotonic() + 30
    while last not in ids and time.monotonic() < deadline:
        message = subscriber.next(0.2)
        event = codec.decode(message.topic, message.payload) if message else None
        if isinstance(event, OrderEvent):
            ids.append(event.event_id)
    subscriber.close()
    return ids
