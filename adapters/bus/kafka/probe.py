"""What a look at a cluster tells before anything is started on it: for `tickhouse doctor`.

Makes no topic and writes nothing.
"""

from typing import NamedTuple

from confluent_kafka import KafkaException

from adapters.bus.kafka.connection import KafkaConnection
from adapters.bus.kafka.reading import StretchReader
from adapters.bus.kafka.topics import name_of
from core import topics
from core.errors import UnavailableError
from core.sections import BusSettings

_ANSWER_S = 3.0
_HEARTBEATS = 200  # of all processes, some seconds' worth


class Stamped(NamedTuple):
    """A stored message and when the broker's clock said that it was."""

    topic: str
    payload: bytes
    at_ms: int


class Probe(NamedTuple):
    """The cluster as it is."""

    brokers: int
    partitions: dict[str, int]  # of the topics that are there, by our name
    newest: list[Stamped]  # the last message of each partition; several of heartbeats


def probe(settings: BusSettings) -> Probe:
    """Look.

    Raises:
        SettingsError: settings that cannot be, or the brokers refuse us.
        UnavailableError: nobody answers at the address.
    """
    connection = KafkaConnection(settings, "doctor")
    reader = StretchReader(connection)
    try:
        cluster = connection.cluster(_ANSWER_S)
        there = {
            t.name: len(cluster.topics[name].partitions)
            for t in topics.ALL
            if (name := name_of(t, settings)) in cluster.topics
        }
        return Probe(len(cluster.brokers), there, _newest(reader, settings, there))
    except KafkaException as error:
        if connection.refusal is not None:
            raise connection.refusal from error
        raise UnavailableError(
            f"nobody answers at {settings.url}: {connection.problem or error.args[0].str()}"
        ) from error
    finally:
        reader.close()


def _newest(reader: StretchReader, settings: BusSettings, there: dict[str, int]) -> list[Stamped]:
    stamped = []
    for topic in topics.ALL:
        count = _HEARTBEATS if topic is topics.HEARTBEATS else 1
        for partition in range(there.get(topic.name, 0)):
            name = name_of(topic, settings)
            low, high = reader.bounds(name, partition)
            for message in reader.stretch(name, partition, max(low, high - count), high):
                payload = message.value()
                stamp = int(message.timestamp()[1])
                stamped.append(Stamped(topic.name, payload if payload else b"", stamp))
    return stamped
