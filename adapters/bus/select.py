"""Settings to bus. The only place that knows which kinds there are; each is imported lazily."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from adapters.bus.base import Bus
from adapters.bus.roles import OWNER
from core.errors import SettingsError
from core.process import Stopping
from core.sections import BusSettings
from core.topics import TICKS

if TYPE_CHECKING:
    from adapters.bus.kafka.probe import Probe
    from adapters.bus.lease import LeasePlace
    from adapters.bus.rpc.client import RpcClient


def connect(settings: BusSettings, name: str) -> Bus:
    """A bus that connects in the background and reconnects for ever.

    Args:
        settings: which bus, and where.
        name: of this process, as the bus server lists it; its role where credentials are ours.

    Raises:
        SettingsError: settings that cannot be, or the extra `kafka` is not installed.
    """
    if settings.is_kafka:
        return _kafka(settings, name)
    from adapters.bus.nats.bus import NatsBus

    return NatsBus(settings, name)


def shape_topics(settings: BusSettings) -> None:
    """Bring the topics of the home's own server to today's settings, as the home's owner.

    Raises:
        UnavailableError: the server stays away.
    """
    bus = connect(settings, OWNER)
    try:
        bus.end(TICKS)
    finally:
        bus.close()


def door(
    settings: BusSettings, name: str, role: str = OWNER, stopping: Stopping | None = None
) -> "RpcClient":
    """The way to the agent of a name: requests that one process elsewhere answers.

    `role` is who asks, where credentials are ours. Once `stopping` is set nobody is waited for.

    Raises:
        SettingsError: no server is named, or requests would travel unencrypted.
    """
    from adapters.bus.rpc.client import RpcClient

    if settings.is_kafka:
        raise SettingsError(
            "a terminal's agent is reached over NATS, and bus.url is Kafka's: run collector and"
            " execution beside the terminal (TICKHOUSE_TERMINAL__KIND=real)"
        )
    return RpcClient(settings, name, role, stopping)


def lease(settings: BusSettings, account: str, role: str) -> "LeasePlace":
    """Where the lease of an account is kept.

    Raises:
        SettingsError: settings that cannot be, or the extra `kafka` is not installed.
        MessageError: an account that the bus cannot carry.
    """
    if settings.is_kafka:
        with _installed():
            from adapters.bus.kafka.lease import KafkaLease
        return KafkaLease(settings, account, role)
    from adapters.bus.nats.lease import NatsLease

    return NatsLease(settings, account, role)


def remove_topics(settings: BusSettings) -> None:
    """Remove all topics of ours under the settings' prefix, with what is in them. Kafka only.

    Raises:
        UnavailableError: the brokers do not answer.
        SettingsError: they refuse us, or the extra `kafka` is not installed.
    """
    with _installed():
        from adapters.bus.kafka.topics import remove_all
    remove_all(settings)


def probe(settings: BusSettings) -> "Probe":
    """What a look at the Kafka of the settings tells, without changing it.

    Raises:
        UnavailableError: nobody answers.
        SettingsError: the brokers refuse us, or the extra `kafka` is not installed.
    """
    with _installed():
        from adapters.bus.kafka.probe import probe as kafka_probe
    return kafka_probe(settings)


def _kafka(settings: BusSettings, name: str) -> Bus:
    with _installed():
        from adapters.bus.kafka.bus import KafkaBus
    return KafkaBus(settings, name)


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in ("confluent_kafka", "quixstreams"):
            raise
        raise SettingsError(
            f"bus.kind is kafka, but {error.name} is not installed: pip install 'tickhouse[kafka]'"
        ) from error
