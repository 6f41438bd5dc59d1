"""A thread that tells the bus, once a second, that its process lives and how long stages took."""

import threading

from adapters.bus.base import Publisher
from core.clock import SystemClock
from core.contracts import codec
from core.contracts.operations import Heartbeat
from core.errors import UnavailableError
from core.exposition import expose_stages
from core.health import Health
from core.metrics import Histograms
from core.sections import RunSettings
from core.topics import HEARTBEATS

_AWAY = "the bus does not answer"


class HeartbeatPublisher:
    """Beats until closed; the last beat carries what was measured since the one before."""

    def __init__(
        self, bus: Publisher, run: RunSettings, health: Health, histograms: Histograms
    ) -> None:
        self._bus, self._run, self._health, self._histograms = bus, run, health, histograms
        expose_stages(histograms)
        self._clock, self._seq = SystemClock(), 0
        self._before: tuple[str, str] = "ready", ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_closed, name="heart", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Beat once more and stop."""
        self._closing.set()
        self._thread.join(timeout=5.0)

    def _beat_until_closed(self) -> None:
        while not self._closing.wait(1.0):
            self._beat()
        self._beat()

    def _beat(self) -> None:
        stages, max_ns = self._histograms.take()
        self._seq += 1
        health = self._health
        beat = Heartbeat(
            run_id=self._run.run_id,
            mode=self._run.mode,
            process=health.process,
            incarnation_us=health.started_us,
            seq=self._seq,
            ts_event_us=self._clock.now_us(),
            status=health.status,
            detail=health.detail,
            stages=stages,
            max_ns=max_ns,
        )
        identity = f"{health.process}.{health.started_us}.{self._seq}"
        try:
            self._bus.publish(HEARTBEATS, health.process, codec.encode(beat), identity, timeout_s=5)
        except UnavailableError:
            self._away()
        else:
            self._back()

    def _away(self) -> None:
        if self._health.detail != _AWAY:
            self._before = self._health.status, self._health.detail
            self._health.set("degraded", _AWAY)

    def _back(self) -> None:
        """As it was before, unless the process has said something else meanwhile."""
        if self._health.detail == _AWAY:
            self._health.set(*self._before)
