"""A process joins the bus: connected and beating until the process ends."""

from adapters.bus import select
from adapters.bus.base import Bus
from adapters.bus.heartbeat import HeartbeatPublisher
from core.metrics import Histograms
from core.process import Process
from core.settings import Settings


def join(process: Process, config: Settings, role: str, measured: Histograms | None = None) -> Bus:
    """The bus, which `process` tells once a second that it lives, and closes at its end.

    Args:
        process: whose health the heartbeats carry.
        config: which bus, where, and the run.
        role: of this process at the bus.
        measured: how long its stages take, where they are measured.

    Raises:
        SettingsError: settings that cannot be.
    """
    bus = select.connect(config.bus, role)
    process.closing(bus.close)
    beats = HeartbeatPublisher(bus, config.run, process.health, measured or Histograms())
    process.closing(beats.close)
    return bus
