"""`tickhouse doctor`: is the Kafka that settings name there, ours to use, and as planned?

Of the embedded bus the machine's checks and its process tell enough.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from adapters.bus import select
from cli.diagnostics.check import Check, result_of
from core.contracts import codec
from core.contracts.operations import Heartbeat
from core.errors import MessageError, SettingsError, UnavailableError
from core.sections import BusSettings
from core.topics import HEARTBEATS, TICKS

if TYPE_CHECKING:
    from adapters.bus.kafka.probe import Probe, Stamped

_NAME = "kafka"


def bus_checks(settings: BusSettings) -> Iterator[Check]:
    """Nothing where the bus is not Kafka."""
    if not settings.is_kafka:
        return
    try:
        probe = select.probe(settings)
    except SettingsError as error:
        yield Check(_NAME, "failed", str(error), "correct the section bus of the settings")
        return
    except UnavailableError as error:
        remedy = "start the brokers, or correct TICKHOUSE_BUS__URL (kafka://host:port,host:port)"
        yield Check(_NAME, "failed", str(error), remedy)
        return
    yield _brokers(probe, settings)
    yield _partitions(probe, settings)
    yield from versions(probe.newest)
    yield from clocks(probe.newest, settings.max_skew_s)


def versions(newest: "list[Stamped]") -> Iterator[Check]:
    """Whether this version of Tickhouse can read what others wrote last."""
    wrong: dict[str, str] = {}
    for message in newest:
        try:
            codec.decode(message.topic, message.payload)
        except (MessageError, KeyError) as error:
            wrong[message.topic] = str(error)
    remedy = "run one version of Tickhouse everywhere, or another TICKHOUSE_BUS__TOPIC_PREFIX"
    for topic, problem in wrong.items():
        yield Check(f"messages of {topic}", "failed", problem, remedy)
    if newest and not wrong:
        yield Check("messages", "ok", "all of a version that is known here")


def clocks(newest: "list[Stamped]", most_s: float) -> Iterator[Check]:
    """Whether each process's host and the brokers agree about the time, by its heartbeats.

    A heartbeat may have waited for the bus, so the least difference of several counts.
    """
    ahead: dict[str, float] = {}
    for message in newest:
        beat = _beat(message)
        if beat is not None:
            late_s = message.at_ms / 1000 - beat.ts_event_us / 1e6
            ahead[beat.process] = min(late_s, ahead.get(beat.process, late_s), key=abs)
    for process, late_s in sorted(ahead.items()):
        if abs(late_s) > most_s:
            way = "behind" if late_s > 0 else "ahead of"
            late = f"{abs(late_s):,.1f} s {way} the brokers'"
            remedy = "set the clocks of its host and of the brokers by NTP; signals expire by them"
            yield Check(f"clock of {process}", "failed", late, remedy)
    if ahead and all(abs(late_s) <= most_s for late_s in ahead.values()):
        yield Check("clocks", "ok", f"{len(ahead)} processes agree with the brokers")


def _beat(message: "Stamped") -> Heartbeat | None:
    if message.topic != HEARTBEATS.name:
        return None
    try:
        beat = codec.decode(message.topic, message.payload)
    except MessageError:
        return None
    return beat if isinstance(beat, Heartbeat) else None


def _brokers(probe: "Probe", settings: BusSettings) -> Check:
    return result_of(
        _NAME,
        probe.brokers >= settings.replication,
        f"{probe.brokers} broker(s) at {settings.url}, {settings.replication} wanted",
        "start the other brokers, or lower TICKHOUSE_BUS__REPLICATION",
        "failed",
    )


def _partitions(probe: "Probe", settings: BusSettings) -> Check:
    there = probe.partitions.get(TICKS.name)
    if there is None:
        text = f"not made yet; the first process makes them, {TICKS.name} in {settings.partitions}"
        return Check("kafka topics", "ok", text)
    return result_of(
        "kafka topics",
        there >= settings.partitions,
        f"{settings.topic_prefix}{TICKS.name} has {there} partition(s),"
        f" {settings.partitions} planned",
        "stop everything and use another TICKHOUSE_BUS__TOPIC_PREFIX, or plan fewer",
        "failed",
    )
