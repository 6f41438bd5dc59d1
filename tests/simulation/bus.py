"""A bus whose messages come late, twice, out of order, or not at all, and that can be away."""

from adapters.bus.base import Message
from core.errors import UnavailableError
from core.topics import SIGNALS, Topic
from tests.simulation.disk import Hazard
from tests.support.memory_bus import MemoryBus


class SimulatedBus(MemoryBus):
    """What was stored survives the process; `away` refuses everything."""

    def __init__(self, hazard: Hazard) -> None:
        super().__init__()
        self._hazard = hazard
        self.away = False
        self.visible = 0  # signals up to this sequence have been delivered to readers

    def send(self, topic: Topic, key: str, payload: bytes, message_id: str = "") -> None:
        self._hazard(f"bus send {topic.name}")
        if not self.away:
            super().publish(topic, key, payload, message_id)

    def healthy(self) -> bool:
        return not self.away

    def flush(self, timeout_s: float = 60.0) -> None:
        if self.away:
            raise UnavailableError("the simulated bus is away")
        self._hazard("bus flush")

    def last(self, topic: Topic, key: str | None = None) -> Message | None:
        stored = self.topics[topic.name][: self.visible if topic is SIGNALS else None]
        return stored[-1] if stored else None

    def subscribe(  # type: ignore[override]
        self, topic: Topic, start_sequence: int = 1, partition: int | None = None
    ) -> "SimulatedSubscriber":
        if topic is not SIGNALS:
            return super().subscribe(topic, start_sequence)  # type: ignore[return-value]
        return SimulatedSubscriber(self, topic, start_sequence - 1)


class SimulatedSubscriber:
    """Implements Subscriber: never waits, for time stands still while it is asked."""

    def __init__(self, bus: SimulatedBus, topic: Topic, place: int) -> None:
        self._bus, self._topic, self._place = bus, topic, place

    def next(self, timeout_s: float) -> Message | None:
        self._bus._hazard("bus next")
        stored = self._bus.topics[self._topic.name]
        if self._place >= self._bus.visible or self._bus.away:
            return None
        self._place += 1
        return stored[self._place - 1]

    def position(self, partition: int = 0) -> int:
        return self._place + 1

    def commit(self, message: Message) -> None:
        """Nobody looks."""

    def close(self) -> None:
        """Nothing to close."""
