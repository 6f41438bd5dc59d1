"""Dagster's processes as part of `tickhouse up`: code server, daemon and webserver.

They come last and nothing waits for them: ticks flow and orders are made whether or not what
runs on a schedule is there. An environment that holds only what `make demo` needs has no Dagster.
"""

import sys
from pathlib import Path

from cli.stack.free_ports import free_ports
from cli.stack.process_spec import ProcessSpec
from core import tls
from core.settings import Settings, environment_of
from core.shipped import INSTALL_SCHEDULES
from orchestration import instance

USUAL_PORT = 3000


def choose_port(preferred: int = USUAL_PORT) -> int:
    """Of the webserver, on loopback: the preferred where that is free."""
    return free_ports((preferred,))[0]


def url(home: Path, port: int) -> str:
    """Where a person finds Dagster."""
    return f"{tls.scheme(home)}://127.0.0.1:{port}"


def absent(settings: Settings) -> str:
    """Why Dagster is not started, with what to do about it; empty when it is."""
    if not settings.orchestration.enabled:
        return "Dagster is turned off (TICKHOUSE_ORCHESTRATION__ENABLED)."
    if missing := instance.missing():
        return (
            f"Dagster is not started: {', '.join(missing)} not installed."
            f" Nothing runs on a schedule until `{INSTALL_SCHEDULES}`."
        )
    return ""


def orchestration_stack(home: Path, port: int) -> list[ProcessSpec]:
    """The processes, and the files that they read."""
    instance.write(home)
    return [
        _process(home, ("code",), ()),
        _process(home, ("daemon",), ("orchestration.code",)),
        _process(home, ("webserver", "--port", str(port)), ("orchestration.code",)),
    ]


def _process(home: Path, arguments: tuple[str, ...], needs: tuple[str, ...]) -> ProcessSpec:
    return ProcessSpec(
        f"orchestration.{arguments[0]}",
        (sys.executable, "-m", "orchestration", *arguments),
        # It also looks after feeds of other sources, which keep their hours.
        instance.environment(home) | environment_of("terminal", never_closes=False),
        needs=needs,
        stop_group=True,  # a run is a child of the code server, dbt one of a run
        waited_for=False,
        stop_stage=1,
    )
