"""Dagster's processes as part of `tickhouse up`: code server, daemon and webserver.

They come last and nothing waits for them: ticks flow and orders are made whether or not what
runs on a schedule is there. An environment that holds only what `make demo` needs has no Dagster.
"""

import sys
from pathlib import Path

import msgspec

from cli.stack.embedded import free_ports
from cli.stack.process_spec import ProcessSpec
from core import tls
from core.settings import Settings
from orchestration import instance

INSTALL = "make install-orchestration"


class OrchestrationPorts(msgspec.Struct, frozen=True):
    """Loopback ports of Dagster's servers."""

    webserver: int  # HTTP
    code: int  # gRPC


USUAL_PORTS = OrchestrationPorts(webserver=3000, code=4266)


def choose_ports(preferred: OrchestrationPorts = USUAL_PORTS) -> OrchestrationPorts:
    """Free ones, the preferred where those are free."""
    return OrchestrationPorts(*free_ports(msgspec.structs.astuple(preferred)))


def url(home: Path, ports: OrchestrationPorts) -> str:
    """Where a person finds Dagster."""
    return f"{tls.scheme(home)}://127.0.0.1:{ports.webserver}"


def absent(settings: Settings) -> str:
    """Why Dagster is not started, with what to do about it; empty when it is."""
    if not settings.orchestration.enabled:
        return "Dagster is turned off (TICKHOUSE_ORCHESTRATION__ENABLED)."
    if missing := instance.missing():
        return (
            f"Dagster is not started: {', '.join(missing)} not installed."
            f" Nothing runs on a schedule until `{INSTALL}`."
        )
    return ""


def orchestration_stack(home: Path, ports: OrchestrationPorts) -> list[ProcessSpec]:
    """The processes, and the files that they read."""
    instance.write(home, ports.code)
    return [
        _process(home, "code", (), ports.code),
        _process(home, "daemon", ("orchestration.code",)),
        _process(home, "webserver", ("orchestration.code",), ports.webserver),
    ]


def _process(home: Path, name: str, needs: tuple[str, ...], port: int = 0) -> ProcessSpec:
    return ProcessSpec(
        f"orchestration.{name}",
        (sys.executable, "-m", "orchestration", name, "--port", str(port)),
        instance.environment(home),
        needs=needs,
        stop_group=True,  # a run is a child of the code server, dbt one of a run
        waited_for=False,
        stop_stage=1,
    )
