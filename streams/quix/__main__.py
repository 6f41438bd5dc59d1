"""Quix applications beside the flows: `python -m streams.quix exposure|collector`.

SIGTERM finishes what is at hand, commits, and ends with 0.
"""

import logging
import sys

from adapters.bus import select
from adapters.bus.heartbeat import HeartbeatPublisher
from core import log, settings
from core.errors import SettingsError, TickhouseError, UnavailableError
from core.health import Health
from core.home_users import as_process
from core.metrics import Histograms

_log = logging.getLogger(__name__)


def main(name: str) -> int:
    """Run one application: 0; 1 when something stayed away, 2 for what a person must mend."""
    log.setup(f"quix.{name}")
    try:
        _run(name, settings.load())
    except TickhouseError as error:
        _log.error("%s", error)
        return 1 if isinstance(error, UnavailableError) else 2
    return 0


def _run(name: str, config: settings.Settings) -> None:
    if name == "collector":  # its process is the source's, which has health and heart itself
        from streams.quix import collector

        collector.build(config).run()
        return
    if name != "exposure":
        raise SettingsError(f"no Quix application {name!r}; known: exposure, collector")
    from streams.quix import exposure

    health = Health("quix.exposure", config.home_path / "run")
    app = exposure.build(as_process(config, "quix.exposure"))
    bus = select.connect(config.bus, "quix.exposure")
    heartbeat = HeartbeatPublisher(bus, config.run, health, Histograms())
    try:
        health.set("ready", "exposure")
        app.run()
    finally:
        health.set("stopping")
        heartbeat.close()
        bus.close()
        health.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
