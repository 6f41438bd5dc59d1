"""The stream processes: `python -m streams ticks|signals|executions`.

Reads settings, builds one flow, runs it with its recovery state, and ends when the flow does.
SIGTERM lets the flow finish what is on the bus.
"""

import logging
import sys
import threading
from collections.abc import Callable

from bytewax.dataflow import Dataflow

from adapters.bus.base import Bus
from adapters.bus.join import join
from core import crashpoint, garbage, log, memory, session_note, settings
from core.errors import SettingsError
from core.health import Health
from core.home_users import as_process
from core.metrics import Histograms
from core.process import Process
from streams import cluster, compose, compose_executions, compose_signals

_COMPILER = "libllvmlite.so"  # of the kernel, which one flow loads and links at its start


def main(name: str) -> int:
    """Run one flow until it ends."""
    garbage.spare_start()
    config = session_note.joined(settings.load())
    called = cluster.process_name(config.streams, name)
    log.setup(called)
    directory = config.home_path / "run"
    crashpoint.arm_for(f"streams.{name}", config.chaos.crash_at, directory)
    with Process(called, directory) as process:
        histograms = Histograms()
        state = compose.state_directory(config, name)
        bus = join(process, config, f"streams.{name}", histograms)
        own = as_process(config, f"streams.{name}")
        with process.preparing():
            flow = _builder(name)(own, bus, process.stopping, histograms, process.health)
            garbage.started()
        process.settling(lambda: memory.page_out(_COMPILER))
        process.health.set("ready", name)
        cluster.run(flow, state, config)
    logging.getLogger(__name__).info("flow %s ended", name)
    return 0


def _builder(
    name: str,
) -> Callable[[settings.Settings, Bus, threading.Event, Histograms, Health], Dataflow]:
    builders = {
        "ticks": compose.ticks,
        "signals": compose_signals.signals,
        "executions": compose_executions.executions,
    }
    if name not in builders:
        raise SettingsError(f"no flow {name!r}; known: {', '.join(builders)}")
    return builders[name]


if __name__ == "__main__":
    sys.exit(log.exit_code(lambda: main(sys.argv[1] if len(sys.argv) > 1 else "")))
