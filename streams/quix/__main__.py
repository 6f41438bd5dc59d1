"""Quix applications beside the flows: `python -m streams.quix exposure|collector`.

SIGTERM finishes what is at hand, commits, and ends with 0.
"""

import sys

from adapters.bus.join import join
from core import log, settings
from core.errors import SettingsError
from core.home_users import as_process
from core.process import Process, Stopping


def main(name: str) -> int:
    """Run one application: 0; 1 when something stayed away, 2 for what a person must mend."""
    log.setup(f"quix.{name}")
    _run(name, settings.load())
    return 0


def _run(name: str, config: settings.Settings) -> None:
    if name == "collector":  # what lives, and says so, is the source's process
        from streams.quix import collector

        collector.build(config).run()
        return
    if name != "exposure":
        raise SettingsError(f"no Quix application {name!r}; known: exposure, collector")
    from streams.quix import exposure

    # Signals are the framework's: it finishes what is at hand, and `run` returns.
    with Process("quix.exposure", config.home_path / "run", Stopping()) as process:
        app = exposure.build(as_process(config, "quix.exposure"))
        join(process, config, "quix.exposure")
        process.health.set("ready", "exposure")
        app.run()


if __name__ == "__main__":
    sys.exit(log.exit_code(lambda: main(sys.argv[1] if len(sys.argv) > 1 else "")))
