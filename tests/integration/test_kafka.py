"""What Kafka lacks of our bus, and what can go wrong with it, on a real broker."""

import subprocess
import sys
import time

import msgspec
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from prometheus_client import REGISTRY

from adapters.bus.kafka.ids import HEADER
from adapters.bus.kafka.publisher import partition_of
from adapters.bus.select import connect
from cli.diagnostics.checks_bus import bus_checks
from core.errors import MessageError, SettingsError, UnavailableError
from core.sections import BusSettings
from core.topics import ORDER_EVENTS, SIGNALS, TICKS
from tests.kafka.broker import PASSWORD, USER
from tests.support.buses import on_kafka
from tests.support.servers import free_port

KEYS = [f"oanda.{symbol}" for symbol in ("EURUSD", "XAUUSD", "BTCUSD", "GBPUSD", "USDJPY")]


@pytest.fixture
def at(kafka):
    """Where topics of this test are."""
    return on_kafka(kafka)


@pytest.fixture
def join():
    """Connections with given settings; closed at the end."""
    opened = []

    def join_with(settings: BusSettings, name: str = "test"):
        opened.append(connect(settings, name))
        return opened[-1]

    yield join_with
    for bus in opened:
        bus.close()


def read(subscriber, count, timeout_s=20.0):
    deadline, messages = time.monotonic() + timeout_s, []
    while len(messages) < count and time.monotonic() < deadline:
        message = subscriber.next(0.2)
        if message:
            messages.append(message)
    return messages


def test_several_partitions_keep_each_keys_order_and_have_a_place_each(kafka, join):
    bus = join(on_kafka(kafka, partitions=3).settings)
    for i in range(60):
        bus.send(TICKS, KEYS[i % 5], b"%d" % i)
    bus.flush()
    assert (bus.partitions(TICKS), bus.partitions(SIGNALS)) == (3, 1)
    together = read(bus.subscribe(TICKS), 60)
    for key in KEYS:
        mine = [m for m in together if m.key == key]
        assert [int(m.payload) for m in mine] == list(range(KEYS.index(key), 60, 5))
        assert {m.partition for m in mine} == {partition_of(key, 3)}
        newest = bus.last(TICKS, key)
        assert newest is not None
        assert newest.payload == mine[-1].payload
    one = next(m for m in reversed(together))
    again = bus.subscribe(TICKS, one.sequence, one.partition)
    assert read(again, 1)[0].payload == one.payload
    assert again.position(one.partition) == bus.end(TICKS, one.partition)
    with pytest.raises(MessageError, match="3 partitions"):
        bus.subscribe(TICKS, 7)


def test_a_repeat_by_a_new_process_is_answered_with_the_first_copys_sequence(at, join):
    assert join(at.settings, "former").publish(SIGNALS, "k", b"one", "id-1") == 1
    successor = join(at.settings, "successor")
    assert successor.publish(SIGNALS, "k", b"one", "id-1") == 1
    assert successor.publish(SIGNALS, "k", b"two", "id-2") == 2


def test_readers_drop_an_id_that_was_stored_twice_also_when_they_begin_between(at, join):
    bus = join(at.settings)
    bus.publish(SIGNALS, "k", b"one", "id-1")
    producer = Producer({"bootstrap.servers": at.server.address})
    for message_id, payload in (("id-1", b"again"), ("id-3", b"three")):
        name = f"{at.settings.topic_prefix}signals"
        producer.produce(name, payload, b"k", headers=[(HEADER, message_id.encode())])
        producer.flush()
    from_the_start, between = bus.subscribe(SIGNALS), bus.subscribe(SIGNALS, 2)
    assert [m.payload for m in read(from_the_start, 2)] == [b"one", b"three"]
    assert [(m.payload, m.sequence) for m in read(between, 1)] == [(b"three", 3)]
    assert between.position() == bus.end(SIGNALS) == 4


def test_what_retention_removed_is_skipped_told_and_counted(kafka, join, caplog):
    settings = on_kafka(kafka, retention_hours=1.5 / 3600, duplicate_window_s=1).settings
    bus = join(settings)
    slow = bus.subscribe(TICKS)
    bus.publish(TICKS, "k", b"first")
    assert read(slow, 1)[0].sequence == 1
    for i in range(3):
        bus.publish(TICKS, "k", b"%d" % i)
    name = f"{settings.topic_prefix}ticks"
    deadline = time.monotonic() + 30
    while bus.last(TICKS) is not None and time.monotonic() < deadline:  # all of it expires
        bus.publish(SIGNALS, "k", b"")  # time passes
        time.sleep(0.2)
        bus.publish(TICKS, "k", b"kept")
        low, _ = bus._reader.bounds(name, 0)
        if low > 2:
            break
    before = REGISTRY.get_sample_value("tickhouse_bus_expired_messages_total", {"topic": "ticks"})
    late = bus.subscribe(TICKS, 2)
    messages = read(late, 1)
    assert messages[0].sequence > 2
    assert "were removed before they were read" in caplog.text
    after = REGISTRY.get_sample_value("tickhouse_bus_expired_messages_total", {"topic": "ticks"})
    assert after > (before or 0)
    newest = bus.publish(TICKS, "k", b"end")
    while (message := slow.next(5.0)) is not None and message.sequence < newest:
        assert message.payload == b"kept" or message.payload.isdigit()
    assert message is not None


def test_a_commit_and_the_lag_are_there_to_see(at, join):
    bus = join(at.settings, "execution")
    for i in range(5):
        bus.publish(SIGNALS, "k", b"%d" % i)
    subscriber = bus.subscribe(SIGNALS)
    messages = read(subscriber, 3)
    subscriber.commit(messages[1])
    group, topic = f"{at.settings.topic_prefix}execution", f"{at.settings.topic_prefix}signals"
    admin = AdminClient({"bootstrap.servers": at.server.address})
    partitions = [ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0)])]
    deadline = time.monotonic() + 20
    committed = -1
    while committed != 2 and time.monotonic() < deadline:
        subscriber.next(0.1)
        answer = admin.list_consumer_group_offsets(partitions)[group].result()
        committed = answer.topic_partitions[0].offset
    assert committed == 2
    labels = {"topic": "signals", "partition": "0"}
    assert REGISTRY.get_sample_value("tickhouse_bus_lag_messages", labels) is not None


def test_a_password_and_tls_are_asked_for_and_what_is_wrong_is_named(kafka, join, tmp_path):
    at = on_kafka(kafka)
    good = msgspec.structs.replace(
        at.settings, url=kafka.secure_url, user=USER, password=PASSWORD, sasl="PLAIN",
        ca=str(kafka.ca),
    )  # fmt: skip
    assert join(good).publish(SIGNALS, "k", b"x") == 1
    wrong = connect(msgspec.structs.replace(good, password="guess"), "wrong")
    with pytest.raises(SettingsError, match=r"authentication failed.*bus\.password"):
        wrong.publish(SIGNALS, "k", b"x", timeout_s=15)
    wrong.close()
    other_ca = tmp_path / "other.pem"
    import trustme

    trustme.CA().cert_pem.write_to_path(str(other_ca))
    stranger = connect(msgspec.structs.replace(good, ca=str(other_ca)), "stranger")
    with pytest.raises(SettingsError, match=r"TLS failed.*bus\.ca"):
        stranger.subscribe(SIGNALS, 0)
    stranger.close()


def test_fewer_partitions_than_planned_and_too_few_brokers_are_named(kafka, join):
    at = on_kafka(kafka)
    join(at.settings).publish(TICKS, "k", b"x")
    greedy = connect(msgspec.structs.replace(at.settings, partitions=4), "greedy")
    with pytest.raises(SettingsError, match=r"ticks has 1 partition.*4 are planned"):
        greedy.subscribe(TICKS, 0)
    greedy.close()
    alone = connect(on_kafka(kafka, replication=3).settings, "alone")
    with pytest.raises(SettingsError, match=r"replication is 3.*1 broker"):
        alone.partitions(TICKS)
    alone.close()


@pytest.mark.parametrize("url", ["", "kafka://", "kafka://host", "kafka://a:1,b", "a b:9092"])
def test_an_address_that_cannot_be_is_refused_at_once(url):
    with pytest.raises(SettingsError, match=r"bus\.url"):
        connect(BusSettings(kind="kafka", url=url), "test")


def test_brokers_that_are_not_there_are_named():
    bus = connect(BusSettings(url=f"kafka://127.0.0.1:{free_port()}"), "alone")
    with pytest.raises(UnavailableError, match=r"refused.*brokers running"):
        bus.publish(ORDER_EVENTS, "k", b"x", timeout_s=3)
    bus.close()


def test_who_does_not_use_kafka_never_imports_it():
    program = (
        "import sys\n"
        "from adapters.bus.select import connect\n"
        "from core.sections import BusSettings\n"
        "connect(BusSettings(), 'light')\n"
        "import cli.main, execution.__main__, streams.collector\n"
        "found = {'confluent_kafka', 'quixstreams'} & set(sys.modules)\n"
        "assert not found, found\n"
        "import os; os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_doctor_names_what_is_wrong_with_a_kafka(kafka, join):
    def diagnosis(settings):
        return {check.name: check for check in bus_checks(settings)}

    at = on_kafka(kafka)
    assert "not made yet" in diagnosis(at.settings)["kafka topics"].found
    bus = join(at.settings)
    bus.publish(SIGNALS, "k", b"\x92\xa8Signal/9\x01")
    checks = diagnosis(msgspec.structs.replace(at.settings, partitions=2, replication=2))
    assert [(n, c.result) for n, c in checks.items()] == [
        ("kafka", "failed"), ("kafka topics", "failed"), ("messages of signals", "failed"),
    ]  # fmt: skip
    assert "Signal/9" in checks["messages of signals"].found
    away = BusSettings(url=f"kafka://127.0.0.1:{free_port()}")
    assert "refused" in diagnosis(away)["kafka"].found
    refused = msgspec.structs.replace(
        at.settings, url=kafka.secure_url, user=USER, password="guess", sasl="PLAIN",
        ca=str(kafka.ca),
    )  # fmt: skip
    assert "authentication failed" in diagnosis(refused)["kafka"].found
