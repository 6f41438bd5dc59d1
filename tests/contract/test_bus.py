"""What `adapters.bus.base` promises, on a real server. One body per promise."""

import asyncio
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import nats
import pytest

from adapters.bus.base import Bus, Message, Subscriber
from adapters.bus.nats.bus import NatsBus
from adapters.bus.select import connect
from core import topics
from core.errors import MessageError, UnavailableError
from core.sections import BusSettings
from core.topics import Topic
from tests.support.buses import BusServer
from tests.support.servers import NatsServer, Relay, free_port
from tests.support.waiting import until

Connect = Callable[[str], Bus]
BOTH = pytest.mark.parametrize("topic", [topics.TICKS, topics.SIGNALS], ids=["unsynced", "synced"])


@pytest.fixture
def join(bus_server: BusServer) -> Iterator[Connect]:
    """Connections to a running bus by name; closed at the end."""
    opened: list[Bus] = []

    def join_as(name: str) -> Bus:
        bus = connect(bus_server.settings, name)
        opened.append(bus)
        return bus

    yield join_as
    for bus in opened:
        bus.close()


@pytest.fixture
def bus(join: Connect) -> Bus:
    return join("test")


def read(subscriber: Subscriber, count: int, timeout_s: float = 20.0) -> list[Message]:
    """`count` messages, or fewer when none came for `timeout_s`."""
    messages: list[Message] = []
    while len(messages) < count and (message := subscriber.next(timeout_s)):
        messages.append(message)
    return messages


@BOTH
def test_messages_arrive_in_order_with_key_sequence_and_payload(bus: Bus, topic: Topic) -> None:
    before_ns = time.perf_counter_ns()
    sequences = [bus.publish(topic, f"k{i % 3}", b"%d" % i) for i in range(10)]
    messages = read(bus.subscribe(topic), 10)
    assert sequences == list(range(1, 11))
    assert [m.sequence for m in messages] == sequences
    assert [(m.topic, m.key, m.payload) for m in messages] == [
        (topic.name, f"k{i % 3}", b"%d" % i) for i in range(10)
    ]
    assert before_ns < messages[0].received_ns <= messages[-1].received_ns


@BOTH
def test_a_repeated_message_id_stores_nothing_and_returns_the_first_sequence(
    bus: Bus, topic: Topic
) -> None:
    first = bus.publish(topic, "k", b"one", message_id="id-1")
    bus.publish(topic, "k", b"two", message_id="id-2")
    assert bus.publish(topic, "k", b"one again", message_id="id-1") == first
    bus.send(topic, "k", b"two again", message_id="id-2")
    bus.publish(topic, "k", b"three", message_id="id-3")
    assert [m.payload for m in read(bus.subscribe(topic), 3)] == [b"one", b"two", b"three"]
    assert bus.last(topic) is not None
    assert bus.publish(topic, "k", b"four") == 4


def test_ids_are_deduplicated_across_a_kill_of_the_server(bus: Bus, bus_server: BusServer) -> None:
    first = bus.publish(topics.SIGNALS, "k", b"one", message_id="id-1")
    bus_server.kill()
    bus_server.start()
    assert bus.publish(topics.SIGNALS, "k", b"one", message_id="id-1") == first


def test_messages_without_id_are_never_taken_for_repeats(bus: Bus) -> None:
    assert [bus.publish(topics.AUDIT, "k", b"same") for _ in range(3)] == [1, 2, 3]


def test_last_is_the_newest_of_the_topic_or_of_exactly_one_key(bus: Bus) -> None:
    for key, payload in [("oanda.EURUSD", b"1"), ("fxcm.EURUSD", b"2"), ("oanda", b"3")]:
        bus.publish(topics.TICKS, key, payload)
    newest = bus.last(topics.TICKS)
    of_key = bus.last(topics.TICKS, "oanda.EURUSD")
    assert newest is not None
    assert (newest.key, newest.sequence, newest.payload) == ("oanda", 3, b"3")
    assert of_key is not None
    assert (of_key.key, of_key.sequence, of_key.payload) == ("oanda.EURUSD", 1, b"1")


def test_last_is_none_where_nothing_was_stored(bus: Bus) -> None:
    bus.publish(topics.TICKS, "oanda.EURUSD", b"1")
    assert bus.last(topics.TICKS, "oanda.XAUUSD") is None
    assert bus.last(topics.SIGNALS) is None


def test_an_empty_payload_is_a_message(bus: Bus) -> None:
    bus.publish(topics.CONTROL, "halt", b"")
    newest = bus.last(topics.CONTROL, "halt")
    assert newest is not None
    assert newest.payload == b""
    assert [m.payload for m in read(bus.subscribe(topics.CONTROL), 1)] == [b""]


@BOTH
def test_flush_returns_when_everything_sent_is_stored_in_order(bus: Bus, topic: Topic) -> None:
    for i in range(1000):
        bus.send(topic, "k", b"%d" % i)
    bus.flush()
    newest = bus.last(topic)
    assert newest is not None
    assert newest.sequence == 1000
    assert [m.payload for m in read(bus.subscribe(topic), 1000)] == [b"%d" % i for i in range(1000)]


def test_publish_and_send_keep_their_common_order(bus: Bus) -> None:
    for i in range(50):
        bus.send(topics.SIGNALS, "k", b"%d" % (2 * i))
        bus.publish(topics.SIGNALS, "k", b"%d" % (2 * i + 1))
    messages = read(bus.subscribe(topics.SIGNALS), 100)
    assert [int(m.payload) for m in messages] == list(range(100))


def test_a_subscriber_starts_at_the_sequence_it_names(bus: Bus) -> None:
    for i in range(1, 11):
        bus.publish(topics.SIGNALS, "k", b"%d" % i)
    assert [m.sequence for m in read(bus.subscribe(topics.SIGNALS, 7), 4)] == [7, 8, 9, 10]


def test_start_sequence_zero_reads_only_what_comes_later(bus: Bus) -> None:
    bus.publish(topics.TICKS, "k", b"before")
    subscriber = bus.subscribe(topics.TICKS, 0)
    assert subscriber.next(0.1) is None
    bus.publish(topics.TICKS, "k", b"after")
    assert [m.payload for m in read(subscriber, 1)] == [b"after"]


def test_a_start_beyond_the_end_waits_for_that_sequence(bus: Bus) -> None:
    bus.publish(topics.SIGNALS, "k", b"1")
    subscriber = bus.subscribe(topics.SIGNALS, 3)
    bus.publish(topics.SIGNALS, "k", b"2")
    bus.publish(topics.SIGNALS, "k", b"3")
    assert [m.payload for m in read(subscriber, 1)] == [b"3"]


def test_topics_and_subscribers_do_not_mix(join: Connect) -> None:
    writer, reader = join("writer"), join("reader")
    one, other = reader.subscribe(topics.SIGNALS), reader.subscribe(topics.RISK)
    again = reader.subscribe(topics.SIGNALS)
    writer.publish(topics.SIGNALS, "k", b"signal")
    writer.publish(topics.RISK, "k", b"risk")
    assert [m.payload for m in read(one, 1)] == [b"signal"]
    assert [m.payload for m in read(other, 1)] == [b"risk"]
    assert [m.payload for m in read(again, 1)] == [b"signal"]
    assert one.next(0.05) is None


def test_next_returns_none_without_a_message_and_after_close(bus: Bus) -> None:
    subscriber = bus.subscribe(topics.RISK)
    assert subscriber.next(0.05) is None
    subscriber.close()
    bus.publish(topics.RISK, "k", b"unread")
    assert subscriber.next(0.05) is None


@pytest.mark.parametrize("key", ["", "a b", "a.*", "a.>", ".a", "a..b", "a\n"])
def test_a_key_the_bus_cannot_carry_is_refused_by_name(bus: Bus, key: str) -> None:
    with pytest.raises(MessageError, match="key"):
        bus.publish(topics.TICKS, key, b"x")


def test_a_large_message_passes_and_an_oversized_one_is_refused_with_its_size(
    bus: Bus,
) -> None:
    large = random.Random(1).randbytes(8_000_000)
    assert bus.publish(topics.TICKS, "k", large) == 1
    with pytest.raises(MessageError, match=r"9000000 bytes for topic ticks.*smaller"):
        bus.publish(topics.TICKS, "k", bytes(9_000_000))
    with pytest.raises(MessageError, match="9000000 bytes"):
        bus.send(topics.TICKS, "k", bytes(9_000_000))
    assert bus.publish(topics.TICKS, "k", b"next") == 2
    newest = read(bus.subscribe(topics.TICKS), 1)
    assert newest[0].payload == large


def test_a_caller_slower_than_the_bus_gets_everything(bus: Bus) -> None:
    payload = bytes(1_000_000)
    for _ in range(60):  # more than the server lets a connection have pending
        bus.send(topics.TICKS, "k", payload)
    bus.flush()
    subscriber = bus.subscribe(topics.TICKS)
    time.sleep(1.0)  # a fixed time, as it is what is tested: it asks for nothing
    assert [m.sequence for m in read(subscriber, 60)] == list(range(1, 61))


@pytest.mark.parametrize("kind", ["nats", "kafka"])
def test_nothing_answers_within_the_timeout(kind: str) -> None:
    bus = connect(BusSettings(url=f"{kind}://127.0.0.1:{free_port()}"), "alone")
    assert not bus.healthy()
    with pytest.raises(UnavailableError, match=r"//127\.0\.0\.1:\d+ .*0\.3 s.*running"):
        bus.publish(topics.SIGNALS, "k", b"x", timeout_s=0.3)
    bus.flush(0.1)  # what publish gave up is not queued any more
    bus.send(topics.SIGNALS, "k", b"x")
    with pytest.raises(UnavailableError, match="1 messages of signals"):
        bus.flush(0.1)
    with pytest.raises(UnavailableError):
        bus.close(timeout_s=0.1)
    with pytest.raises(UnavailableError, match="closed"):
        bus.publish(topics.SIGNALS, "k", b"x")


@pytest.mark.parametrize("kind", ["nats", "kafka"])
def test_something_that_is_not_a_bus_is_reported_not_waited_for(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bus = connect(BusSettings(url=f"{kind}://127.0.0.1:{silent.getsockname()[1]}"), "alone")
        with pytest.raises(UnavailableError):
            bus.publish(topics.SIGNALS, "k", b"x", timeout_s=0.3)
        bus.close()


def test_publish_waits_for_a_bus_that_comes_back(bus: Bus, bus_server: BusServer) -> None:
    bus.publish(topics.SIGNALS, "k", b"before")
    assert bus.healthy()
    bus_server.kill()
    starter = threading.Timer(0.5, bus_server.start)
    starter.start()
    assert bus.publish(topics.SIGNALS, "k", b"after") == 2
    starter.join()
    assert bus.healthy()
    if isinstance(bus, NatsBus):
        assert bus.reconnects == 1


def test_what_is_stored_and_what_waits_is_counted(nats_server: NatsServer) -> None:
    bus = NatsBus(BusSettings(url=nats_server.url), "counting")
    bus.publish(topics.SIGNALS, "k", b"0")
    assert list(bus.measured()) == [
        ("tickhouse_bus_sent_messages_total", ("signals",), 1),
        ("tickhouse_bus_unsent_messages", ("signals",), 0),
    ]
    nats_server.kill()
    bus.send(topics.SIGNALS, "k", b"1")
    assert [value for _, _, value in bus.measured()] == [1, 1]
    nats_server.start()
    bus.close()


def test_what_flush_gave_up_on_is_sent_when_the_bus_returns(
    bus: Bus, bus_server: BusServer
) -> None:
    bus.publish(topics.SIGNALS, "k", b"0")
    bus_server.kill()
    for i in range(1, 301):
        bus.send(topics.SIGNALS, "k", b"%d" % i)
    with pytest.raises(UnavailableError):
        bus.flush(0.2)
    bus_server.start()
    bus.flush()
    messages = read(bus.subscribe(topics.SIGNALS), 301)
    assert [int(m.payload) for m in messages] == list(range(301))


async def delete_consumers(url: str, topic: Topic) -> int:
    """Take away every reader's server side; return how many there were."""
    client = await nats.connect(url)
    manager = client.jetstream()
    names = [info.name for info in await manager.consumers_info(topic.name)]
    for name in names:
        await manager.delete_consumer(topic.name, name)
    await client.close()
    return len(names)


def test_a_reader_whose_consumer_vanished_reads_on(nats_server: NatsServer) -> None:
    bus = NatsBus(BusSettings(url=nats_server.url), "vanishing")
    subscriber = bus.subscribe(topics.SIGNALS)
    bus.publish(topics.SIGNALS, "k", b"1")
    assert [m.payload for m in read(subscriber, 1)] == [b"1"]
    assert asyncio.run(delete_consumers(nats_server.url, topics.SIGNALS)) == 1
    bus.publish(topics.SIGNALS, "k", b"2")
    bus.publish(topics.SIGNALS, "k", b"3")
    assert [m.payload for m in read(subscriber, 2)] == [b"2", b"3"]
    assert bus.reconnects == 0
    bus.close()


def test_readers_and_writers_outlive_a_cut_connection(nats_server: NatsServer) -> None:
    with Relay(nats_server.port) as relay:
        bus = connect(BusSettings(url=relay.url), "relayed")
        subscriber = bus.subscribe(topics.SIGNALS)
        for i in range(3000):
            if i % 700 == 350:
                relay.cut()
            bus.send(topics.SIGNALS, "k", b"%d" % i)
        assert [int(m.payload) for m in read(subscriber, 3000)] == list(range(3000))
        assert subscriber.next(0.1) is None
        bus.close()


class Sender(threading.Thread):
    """Sends numbers under ids of their own until told to stop."""

    def __init__(self, bus: Bus, topic: Topic, name: bytes = b"") -> None:
        super().__init__()
        self.stopping = threading.Event()
        self.count = 0
        self._bus, self._topic, self._name = bus, topic, name

    def run(self) -> None:
        while not self.stopping.is_set():
            payload = self._name + b"%d" % self.count
            if self.count % 10:
                self._bus.send(self._topic, "k", payload, payload.decode())
            else:
                self._bus.publish(self._topic, "k", payload, payload.decode())
            self.count += 1
            time.sleep(0.0005)

    def sends_on(self) -> None:
        """Return once it has sent, and been answered, after now."""
        before = self.count
        until(lambda: self.count >= before + 20)  # each tenth waits for its answer

    def finish(self) -> int:
        """Stop, wait until all is stored, and return how many were sent."""
        self.stopping.set()
        self.join()
        self._bus.flush()
        return self.count


def _reconnected(bus: NatsBus, before: int) -> bool:
    return bus.reconnects > before


def kill_at_random_moments(
    server: BusServer, rounds: int, seed: int, back: Sequence[NatsBus] = ()
) -> None:
    """Kill and restart while others work; every other time wait until `back` are connected anew.

    In between, a kill may come so soon that it meets one that is still connecting.
    """
    moments = random.Random(seed)
    if server.kind == "kafka":  # takes three seconds to start, and shares its fate with nobody
        rounds = 1
    for number in range(rounds):
        time.sleep(moments.uniform(0.05, 0.4))
        before = [one.reconnects for one in back]
        server.kill()
        time.sleep(moments.uniform(0.0, 0.1))
        server.start()
        if number % 2:
            for one, count in zip(back, before, strict=True):
                until(partial(_reconnected, one, count))


@BOTH
def test_reader_and_store_miss_and_repeat_nothing_while_the_server_is_killed(
    join: Connect, bus_server: BusServer, topic: Topic
) -> None:
    writer, reader = join("writer"), join("reader")
    subscriber = reader.subscribe(topic)
    sender = Sender(writer, topic)
    sender.start()
    connected = [one for one in (writer, reader) if isinstance(one, NatsBus)]
    kill_at_random_moments(bus_server, rounds=6, seed=11, back=connected)
    sender.sends_on()
    count = sender.finish()
    live = read(subscriber, count)
    stored = read(reader.subscribe(topic), count)
    assert [int(m.payload) for m in stored] == list(range(count))
    assert [m.sequence for m in stored] == list(range(1, count + 1))
    assert [int(m.payload) for m in live] == list(range(count))
    assert subscriber.next(0.1) is None


@pytest.mark.parametrize("bus_server", ["nats"], indirect=True)  # Kafka forgets nothing it said
def test_two_writers_of_an_unsynced_topic_lose_nothing_while_the_server_is_killed(
    join: Connect, bus_server: BusServer
) -> None:
    reader = join("reader")
    subscriber = reader.subscribe(topics.TICKS)
    senders = [Sender(join(name), topics.TICKS, name.encode()) for name in "ab"]
    for sender in senders:
        sender.start()
    kill_at_random_moments(bus_server, rounds=4, seed=5)
    for sender in senders:
        sender.sends_on()
    counts = [sender.finish() for sender in senders]
    live = read(subscriber, sum(counts))
    for name, count in zip(b"ab", counts, strict=True):
        of_one = [int(m.payload[1:]) for m in live if m.payload[0] == name]
        assert of_one == list(range(count)), chr(name)
    assert subscriber.next(0.1) is None
