"""The collector process: takes ticks from the terminal and puts them on the bus.

`python -m streams.collector`; needs only what a terminal's host has (extra `edge`).
"""

import logging
import signal
import sys
import threading
from functools import partial

from adapters.bus import select
from adapters.bus.heartbeat import HeartbeatPublisher
from adapters.mt5 import connect
from core import crashpoint, log, settings
from core.clock import SystemClock
from core.health import Health
from core.metrics import Histograms
from streams import collect_recorded
from streams.collect_live import LiveCollector


def main() -> int:
    """Run until the recording ends (0) or a signal stops it (0)."""
    config = settings.load()
    log.setup("collector")
    run_directory = config.home_path / "run"
    crashpoint.arm_for("collector", config.chaos.crash_at, run_directory)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    health = Health("collector", run_directory)
    bus = select.connect(config.bus, "collector")
    histograms = Histograms()
    heartbeat = HeartbeatPublisher(bus, config.run, health, histograms)
    rpc = partial(select.door, config.bus, role="collector")
    terminal = connect.terminal(config.terminal, config.home_path, rpc, role="collector")
    if config.run.mode == "replay":
        health.set("ready", "replaying")
        market = connect.market(config.terminal, config.home_path, role="collector")
        collect_recorded.collect(bus, market, config, histograms)
    else:
        LiveCollector(bus, terminal, config, SystemClock(), histograms).run(stopping, health)
    health.set("stopping")
    heartbeat.close()
    bus.close()
    terminal.shutdown()
    health.outlive_start()
    health.close()
    logging.getLogger(__name__).info("done")
    return 0


if __name__ == "__main__":
    sys.exit(log.told(main))
