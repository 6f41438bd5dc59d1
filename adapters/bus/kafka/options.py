"""Settings to Quix Streams' connection and librdkafka's options.

A certificate of the broker's that our CA did not sign, or that is another host's, is refused: there
is no setting that trusts anybody.
"""

import re
from typing import Any

from quixstreams.kafka import ConnectionConfig

from core.errors import SettingsError
from core.sections import BusSettings

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}")
LARGEST = 8 * 1024 * 1024 - 1024  # payload, as on NATS
_ROOM = 64 * 1024  # for key, headers and the batch around it
MESSAGE_BYTES = LARGEST + _ROOM


def addresses(settings: BusSettings) -> str:
    """`host:port,host:port` of the brokers to ask first.

    Raises:
        SettingsError: no address, or one that cannot be.
    """
    bare = settings.url.removeprefix("kafka://").rstrip("/")
    if not bare:
        raise SettingsError(
            "bus.kind is kafka, but bus.url names no broker: kafka://host:port (TICKHOUSE_BUS__URL)"
        )
    for part in bare.split(","):
        if not _ADDRESS.fullmatch(part):
            raise SettingsError(
                f"bus.url: {part!r} is no broker's address; kafka://host:port,host:port is needed"
                " (TICKHOUSE_BUS__URL)"
            )
    return bare


def connection(settings: BusSettings, name: str) -> ConnectionConfig:
    """Where the brokers are, who we are to them, and whom we take them to be.

    Raises:
        SettingsError: settings that do not go together.
    """
    secret = settings.password
    if bool(settings.user) != bool(secret):
        raise SettingsError("bus.user and bus.password go together (TICKHOUSE_BUS__PASSWORD)")
    if bool(settings.certificate) != bool(settings.key):
        raise SettingsError("bus.certificate and bus.key go together (TICKHOUSE_BUS__KEY)")
    options: dict[str, Any] = {"bootstrap_servers": addresses(settings), "client_id": name}
    if settings.ca:
        options["ssl_ca_location"] = settings.ca
    if settings.certificate:
        options["ssl_certificate_location"] = settings.certificate
        options["ssl_key_location"] = settings.key
    if settings.user:
        options |= {
            "sasl_mechanism": settings.sasl,
            "sasl_username": settings.user,
            "sasl_password": secret,
        }
    return ConnectionConfig(security_protocol=_protocol(settings), **options)


#: What every client of ours has: come back soon and for ever, and be quick.
_PATIENT: dict[str, Any] = {
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 1000,
    "retry.backoff.ms": 50,
    "retry.backoff.max.ms": 1000,
    "socket.nagle.disable": True,
    "socket.keepalive.enable": True,
    "socket.connection.setup.timeout.ms": 5000,
    "log.connection.close": False,
    "statistics.interval.ms": 0,
    "topic.metadata.refresh.interval.ms": 10_000,
}


def producer_options(settings: BusSettings) -> dict[str, Any]:
    """Nothing is given up, nothing is stored twice by a retry, and order is kept."""
    return {
        **_PATIENT,
        "acks": "all",
        "enable.idempotence": True,
        "message.timeout.ms": 0,  # for ever: who waits no longer says so himself
        "linger.ms": settings.linger_ms,
        "message.max.bytes": MESSAGE_BYTES,
        "queue.buffering.max.messages": 2_000_000,
        "queue.buffering.max.kbytes": 1024 * 1024,
    }


def consumer_options() -> dict[str, Any]:
    """Fetch as soon as there is anything, and hold a bounded amount of it."""
    return {
        **_PATIENT,
        "fetch.min.bytes": 1,
        "fetch.wait.max.ms": 500,
        "fetch.error.backoff.ms": 50,
        "fetch.message.max.bytes": MESSAGE_BYTES,
        "queued.max.messages.kbytes": 32 * 1024,
        "queued.min.messages": 10_000,
        "fetch.queue.backoff.ms": 10,
        "isolation.level": "read_committed",
        "enable.partition.eof": False,
        "check.crcs": True,
    }


def _protocol(settings: BusSettings) -> str:
    encrypted = bool(settings.ca)
    if settings.user:
        return "sasl_ssl" if encrypted else "sasl_plaintext"
    return "ssl" if encrypted else "plaintext"
