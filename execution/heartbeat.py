"""Execution's sign of life, once a second, with its latencies."""

import time

from adapters.bus.base import Publisher
from core.contracts import codec
from core.contracts.operations import Heartbeat
from core.exposition import expose_stages
from core.health import Health
from core.metrics import Histograms
from core.sections import RunSettings
from core.topics import HEARTBEATS

_EVERY_S = 1.0


class HeartbeatPublisher:
    """Beats when `beat` is called often enough."""

    def __init__(
        self, bus: Publisher, health: Health, run: RunSettings, stages: Histograms
    ) -> None:
        self._bus, self._health, self._run, self._stages = bus, health, run, stages
        self._seq, self._due = 0, 0.0
        expose_stages(stages)

    def degraded(self, detail: str) -> None:
        """Say that something is wrong; `well` takes it back."""
        self._health.set("degraded", detail)

    def well(self) -> None:
        """Say that all is well again."""
        if self._health.status == "degraded":
            self._health.set("ready")

    def beat(self, *, force: bool = False) -> None:
        """Send a heartbeat if a second has passed; `force`: in any case. Does not wait."""
        now = time.monotonic()
        if now < self._due and not force:
            return
        self._due, self._seq = now + _EVERY_S, self._seq + 1
        counts, max_ns = self._stages.take()
        beat = Heartbeat(
            run_id=self._run.run_id, mode=self._run.mode, process=self._health.process,
            incarnation_us=self._health.started_us, seq=self._seq,
            ts_event_us=time.time_ns() // 1000, status=self._health.status,
            detail=self._health.detail, stages=counts, max_ns=max_ns,
        )  # fmt: skip
        name = f"{self._health.process}.{self._health.started_us}.{self._seq}"
        self._bus.send(HEARTBEATS, self._health.process, codec.encode(beat), name)
