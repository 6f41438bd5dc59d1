"""How every Quix application of ours is set up: brokers, group, state, topics."""

from pathlib import Path

from quixstreams import Application
from quixstreams.models import Topic as QuixTopic
from quixstreams.models import TopicConfig

from adapters.bus.kafka import options
from adapters.bus.kafka.topics import min_insync, planned_partitions, topic_config
from core.errors import SettingsError
from core.settings import Settings
from core.topics import Topic


def build(config: Settings, name: str) -> Application:
    """An application whose group, state and changelog carry its name.

    Raises:
        SettingsError: the bus is not Kafka.
    """
    bus = config.bus
    if not bus.is_kafka:
        raise SettingsError(
            f"{name} is a Quix application and needs Kafka: TICKHOUSE_BUS__URL=kafka://host:port"
        )
    return Application(
        options.connection(bus, name),
        consumer_group=f"{bus.topic_prefix}quix.{name}",
        auto_offset_reset="earliest",
        commit_interval=1.0,
        consumer_extra_config={"session.timeout.ms": 6000, "heartbeat.interval.ms": 1000},
        producer_extra_config=options.producer_options(bus),
        state_dir=state_directory(config, name),
        loglevel=None,
        broker_availability_timeout=0,  # away is not gone: wait, as everything else does
    )


def state_directory(config: Settings, name: str) -> Path:
    """Where the state store is; its changelog makes it anew when it is lost."""
    return config.home_path / "state" / "quix" / name


def topic_of(application: Application, config: Settings, topic: Topic) -> QuixTopic:
    """A topic of the bus, made as the bus makes it if we are first."""
    partitions = planned_partitions(topic, config.bus)
    return _topic(application, config, topic.name, partitions, topic_config(topic, config.bus))


def output(application: Application, config: Settings, name: str) -> QuixTopic:
    """A topic that only this application writes, of one partition."""
    kept = {"min.insync.replicas": str(min_insync(config.bus))}
    return _topic(application, config, name, 1, kept)


def _topic(
    application: Application, config: Settings, name: str, partitions: int, extra: dict[str, str]
) -> QuixTopic:
    """Keys are text, values are our messages' bytes."""
    return application.topic(
        f"{config.bus.topic_prefix}{name}",
        key_serializer="str",
        key_deserializer="str",
        value_serializer="bytes",
        value_deserializer="bytes",
        config=TopicConfig(partitions, config.bus.replication, extra),
    )
