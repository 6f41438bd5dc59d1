"""The collector process: takes ticks from the terminal and puts them on the bus.

`python -m streams.collector`; needs only what a terminal's host has (extra `edge`).
"""

import logging
import sys
from functools import partial

from adapters.bus import select
from adapters.bus.join import join
from adapters.mt5 import connect
from core import crashpoint, log, settings
from core.clock import SystemClock
from core.metrics import Histograms
from core.process import Process
from core.settings import Settings
from streams import collect_recorded
from streams.collect_live import LiveCollector


def main() -> int:
    """Run until the recording ends (0) or a signal stops it (0)."""
    config = settings.load()
    log.setup("collector")
    run_directory = config.home_path / "run"
    crashpoint.arm_for("collector", config.chaos.crash_at, run_directory)
    with Process("collector", run_directory) as process:
        _collect(config, process)
    logging.getLogger(__name__).info("done")
    return 0


def _collect(config: Settings, process: Process) -> None:
    histograms = Histograms()
    stopping = process.stopping
    rpc = partial(select.door, config.bus, role="collector", stopping=stopping)
    terminal = connect.terminal(
        config.terminal, config.home_path, rpc, role="collector", stopping=stopping
    )
    process.closing(terminal.shutdown)
    bus = join(process, config, "collector", histograms)
    if config.run.mode == "replay":
        process.health.set("ready", "replaying")
        market = connect.market(config.terminal, config.home_path, role="collector")
        collect_recorded.collect(bus, market, config, histograms, stopping)
    else:
        live = LiveCollector(bus, terminal, config, SystemClock(), histograms)
        live.run(stopping, process.health)


if __name__ == "__main__":
    sys.exit(log.exit_code(main))
