"""Every bus there is, for tests of what all of them promise, and to measure them side by side."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from adapters.bus.nats.permissions import credential
from adapters.bus.roles import OWNER
from core.credentials import directory_of, secret
from core.sections import BusSettings
from tests.kafka.broker import Broker
from tests.support.servers import NatsServer


class BusServer(NamedTuple):
    """A running server, killable, and how to connect to an empty place on it."""

    kind: str
    server: NatsServer | Broker
    settings: BusSettings

    def kill(self) -> None:
        """SIGKILL."""
        self.server.kill()

    def start(self) -> None:
        """Start again."""
        self.server.start()


@contextmanager
def on_nats(directory: Path) -> Iterator[BusServer]:
    """All of a home's NATS server, for its owner, whatever a connection is called."""
    credentials = directory_of(directory)
    with NatsServer(directory / "bus", credentials) as server:
        password = secret(credentials, credential(OWNER))
        yield BusServer("nats", server, BusSettings(url=server.url, user=OWNER, password=password))


def on_kafka(broker: Broker, **more: Any) -> BusServer:
    """Topics of their own on a broker that others use too."""
    prefix = f"t{secrets.token_hex(4)}."
    settings = BusSettings(kind="kafka", url=broker.url, topic_prefix=prefix, **more)
    return BusServer("kafka", broker, settings)


@contextmanager
def running(kind: str, directory: Path) -> Iterator[BusServer]:
    """A server of a kind, made for this alone."""
    if kind == "kafka":
        with Broker(directory / "kafka") as broker:
            yield on_kafka(broker)
    else:
        with on_nats(directory) as server:
            yield server
