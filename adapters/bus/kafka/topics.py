"""One Kafka topic per topic of ours: how it is made, and that it is as planned.

Only `ticks` has several partitions: what happens to one account, or is said to all, needs one
order (docs/adr/0012-kafka.md). Brokers stamp the times, so that a host with a wrong clock
neither hides a repeat nor keeps a message from leaving.
"""

from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from quixstreams.models.topics import TopicAdmin

from adapters.bus.kafka import options
from adapters.bus.kafka.options import MESSAGE_BYTES
from adapters.bus.lease import LEASES
from core import topics
from core.errors import SettingsError, UnavailableError
from core.sections import BusSettings
from core.topics import Topic

_ANSWER_S = 10.0
_LOOK_S = 2.0  # so long may a close wait for brokers that are not there
_SEGMENT_BYTES = 64 * 2**20  # what retention removes goes by segments
_LEAVING = {topics.TICKS, topics.HEARTBEATS, topics.PREDICTIONS}


def name_of(topic: Topic, settings: BusSettings) -> str:
    """How Kafka knows a topic."""
    return f"{settings.topic_prefix}{topic.name}"


def planned_partitions(topic: Topic, settings: BusSettings) -> int:
    """How many the topic is to have."""
    return settings.partitions if topic is topics.TICKS else 1


def min_insync(settings: BusSettings) -> int:
    """Copies that must exist before a publish counts."""
    return settings.min_insync or max(1, settings.replication - 1)


def topic_config(topic: Topic, settings: BusSettings) -> dict[str, str]:
    """Kafka's own settings of a topic."""
    config: dict[str, Any] = {
        "cleanup.policy": "delete",
        "retention.ms": -1,
        "retention.bytes": -1,
        "max.message.bytes": MESSAGE_BYTES,
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": min_insync(settings),
        "unclean.leader.election.enable": "false",
    }
    if topic in _LEAVING:
        share = _most_bytes(topic, settings) // planned_partitions(topic, settings)
        config["retention.bytes"] = share
        config["segment.bytes"] = max(min(_SEGMENT_BYTES, share // 4), 2**20)
        if settings.retention_hours:
            config["retention.ms"] = int(settings.retention_hours * 3_600_000)
            config["segment.ms"] = max(config["retention.ms"] // 4, 1000)
    if topic is LEASES:
        config |= {"cleanup.policy": "compact", "segment.bytes": 2**20, "segment.ms": 3_600_000}
    if topic.synced and settings.replication == 1 and settings.sync == "always":
        config["flush.messages"] = 1  # no other broker has it: on disk before it counts
    return {name: str(value) for name, value in config.items()}


def _most_bytes(topic: Topic, settings: BusSettings) -> int:
    """As on NATS."""
    if topic is topics.TICKS:
        return int(settings.ticks_max_gib * 2**30)
    return 2**28 if topic is topics.HEARTBEATS else 2**26


def ensure_topics(admin: AdminClient, settings: BusSettings) -> dict[str, int]:
    """Make what is missing; the number of partitions of each topic, by our name.

    Raises:
        KafkaException: the cluster does not answer, or refuses.
        SettingsError: a topic has fewer partitions than planned, or there are too few brokers.
    """
    cluster = admin.list_topics(timeout=_LOOK_S)
    missing = [t for t in topics.ALL if name_of(t, settings) not in cluster.topics]
    if missing:
        _create(admin, missing, settings, len(cluster.brokers))
        cluster = admin.list_topics(timeout=_LOOK_S)
    partitions = {}
    for topic in topics.ALL:
        name = name_of(topic, settings)
        there = cluster.topics.get(name)
        if there is None or there.error is not None:
            raise KafkaException(there.error if there else KafkaError(KafkaError._UNKNOWN_TOPIC))
        partitions[topic.name] = _checked(name, len(there.partitions), topic, settings)
    return partitions


def ensure_leases(admin: AdminClient, settings: BusSettings) -> str:
    """Make the topic of leases if it is missing; its name.

    It keeps the newest record of each account, and little of what was before.

    Raises:
        KafkaException: the cluster does not answer, or refuses.
        SettingsError: there are too few brokers.
    """
    name = name_of(LEASES, settings)
    cluster = admin.list_topics(timeout=_LOOK_S)
    if name not in cluster.topics:
        _create(admin, [LEASES], settings, len(cluster.brokers))
    return name


def remove_all(settings: BusSettings) -> None:
    """Remove all of our topics under the settings' prefix, with what is in them.

    Raises:
        UnavailableError: the cluster does not answer, or refuses.
    """
    admin = TopicAdmin(options.connection(settings, "removal")).admin_client
    try:
        cluster = admin.list_topics(timeout=_ANSWER_S)
        there = [n for t in topics.ALL if (n := name_of(t, settings)) in cluster.topics]
        if there:
            for done in admin.delete_topics(there, operation_timeout=_ANSWER_S).values():
                _unless(done, KafkaError.UNKNOWN_TOPIC_OR_PART)
    except KafkaException as error:
        raise UnavailableError(
            f"the bus at {settings.url} was asked to remove topics {settings.topic_prefix}* but"
            f" did not: {error.args[0].str()}. See `tickhouse doctor`"
        ) from error


def _create(admin: AdminClient, missing: list[Topic], settings: BusSettings, brokers: int) -> None:
    if brokers < settings.replication:
        raise SettingsError(
            f"bus.replication is {settings.replication}, but Kafka has {brokers} broker(s) now:"
            " start the others, or lower TICKHOUSE_BUS__REPLICATION"
        )
    wanted = [
        NewTopic(
            name_of(topic, settings),
            num_partitions=planned_partitions(topic, settings),
            replication_factor=settings.replication,
            config=topic_config(topic, settings),
        )
        for topic in missing
    ]
    for done in admin.create_topics(wanted, operation_timeout=_ANSWER_S).values():
        _unless(done, KafkaError.TOPIC_ALREADY_EXISTS)


def _unless(done: Any, accepted: int) -> None:
    """Wait for an answer; another process of ours may have been first."""
    try:
        done.result()
    except KafkaException as error:
        if error.args[0].code() != accepted:
            raise


def _checked(name: str, count: int, topic: Topic, settings: BusSettings) -> int:
    planned = planned_partitions(topic, settings)
    if count < planned:
        raise SettingsError(
            f"topic {name} has {count} partition(s), {planned} are planned (bus.partitions): stop"
            " everything, then add them with Kafka's own tools or let another"
            " TICKHOUSE_BUS__TOPIC_PREFIX make new topics; or plan no more than there are"
        )
    if count > 1 and topic is not topics.TICKS:
        raise SettingsError(
            f"topic {name} has {count} partitions; all of it needs one order, so one partition:"
            " remove it and let Tickhouse make it, or use another TICKHOUSE_BUS__TOPIC_PREFIX"
        )
    return count
