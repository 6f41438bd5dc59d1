"""Every bus there is, for tests of what all of them promise."""

import secrets
from typing import NamedTuple

from core.settings import BusSettings
from tests.kafka.broker import Broker
from tests.servers import NatsServer


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


def on_nats(server: NatsServer) -> BusServer:
    """All of a NATS server."""
    return BusServer("nats", server, BusSettings(url=server.url))


def on_kafka(broker: Broker, **more: object) -> BusServer:
    """Topics of their own on a broker that others use too."""
    prefix = f"t{secrets.token_hex(4)}."
    settings = BusSettings(kind="kafka", url=broker.url, topic_prefix=prefix, **more)  # type: ignore[arg-type]
    return BusServer("kafka", broker, settings)
