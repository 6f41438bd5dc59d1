"""A replay's own place on a bus: a server of its own, or on Kafka topics of its own."""

import logging

import msgspec

from adapters.bus import select
from core.errors import UnavailableError
from core.sections import BusSettings

_log = logging.getLogger(__name__)


def of_run(bus: BusSettings, run_id: str) -> BusSettings:
    """The bus of a replay, whatever live trading is connected to.

    On Kafka one partition, because the order of all ticks and markers is the replay's order
    (docs/adr/0012-kafka.md), and no fsync, because a replay can be done again.
    """
    if not bus.is_kafka:
        return BusSettings(
            duplicate_window_s=bus.duplicate_window_s, ticks_max_gib=bus.ticks_max_gib,
            sync="process",
        )  # fmt: skip
    prefix = f"{bus.topic_prefix}{run_id}."
    return msgspec.structs.replace(bus, topic_prefix=prefix, partitions=1, sync="process")


def empty(bus: BusSettings) -> None:
    """Nothing of a former run of the same id is on it; on Kafka, before anything starts.

    Raises:
        UnavailableError: the brokers do not answer.
        SettingsError: they refuse us.
    """
    if bus.is_kafka:
        select.remove_topics(bus)


def discard(bus: BusSettings) -> None:
    """What a reconciled run left on Kafka; brokers that are away keep it, which is said."""
    try:
        empty(bus)
    except UnavailableError as error:
        _log.warning("the replay's topics %s* stay: %s", bus.topic_prefix, error)
