"""A process whose bus was away says so, and no longer once the bus is back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.bus.heartbeat import HeartbeatPublisher
from core.errors import UnavailableError
from core.health import Health
from core.metrics import Histograms
from core.sections import RunSettings


class Interrupted:
    """A bus that can be away."""

    def __init__(self) -> None:
        self.away = False

    def publish(self, *_: Any, **__: Any) -> int:
        if self.away:
            raise UnavailableError("no acknowledgement")
        return 1


def beating(tmp_path: Path, status: str, detail: str, *steps: Callable[[Interrupted, Health], Any]):
    """Status and detail after each step and the beat that follows it."""
    bus, health = Interrupted(), Health("streams.ticks", tmp_path)
    heart = HeartbeatPublisher(bus, RunSettings(), health, Histograms())  # type: ignore[arg-type]
    heart.close()  # beats are ours from here on
    health.set(status, detail)
    states = []
    for step in steps:
        step(bus, health)
        heart._beat()
        states.append((health.status, health.detail))
    health.close()
    return states


def gone(bus: Interrupted, _: Health) -> None:
    bus.away = True


def back(bus: Interrupted, _: Health) -> None:
    bus.away = False


AWAY = ("degraded", "the bus does not answer")


def test_it_is_what_it_was_before_once_the_bus_is_back(tmp_path: Path) -> None:
    states = beating(tmp_path, "ready", "3 symbols", gone, gone, back, back)
    assert states == [AWAY, AWAY, ("ready", "3 symbols"), ("ready", "3 symbols")]


def test_what_it_said_meanwhile_stays(tmp_path: Path) -> None:
    def stopping(bus: Interrupted, health: Health) -> None:
        bus.away = False
        health.set("stopping", "")

    assert beating(tmp_path, "ready", "", gone, stopping) == [AWAY, ("stopping", "")]
