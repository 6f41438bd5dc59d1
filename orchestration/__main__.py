"""One of Dagster's processes: `python -m orchestration code|daemon|webserver`.

Dagster's own commands, beside a health port as every process of the product has one. The
environment (DAGSTER_HOME, addresses) comes from who starts it: `cli/stack/orchestration.py`.
"""

import argparse
import contextlib
import os
import runpy
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from core import settings as product
from core.errors import TickhouseError
from core.health import Health
from orchestration import dbt_project, instance
from orchestration.readiness import code_ready, daemon_ready, watch, webserver_ready

_LOCAL = ("--host", "127.0.0.1")


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="orchestration", description=__doc__)
    parser.add_argument("process", choices=["code", "daemon", "webserver"])
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    home = product.load().home_path
    if given.process == "code":  # dbt reads its project while Dagster is loaded
        threading.Thread(target=_parse_dbt, daemon=True).start()
    health = Health(f"orchestration.{given.process}", home / "run")
    threading.Thread(
        target=watch, args=(health, _probe(given.process, given.port)), daemon=True
    ).start()
    if given.process == "webserver":
        from orchestration.webserver import serve

        serve(home, given.port)
    else:
        sys.argv = _arguments(given.process, given.port, str(instance.workspace(home)))
        module = "dagster" if given.process == "code" else "dagster._daemon"
        try:
            runpy.run_module(module, run_name="__main__")
        except SystemExit as end:
            # Threads that still evaluate a sensor would hold the end up beyond the drain.
            os._exit(end.code if isinstance(end.code, int) else 1)


def _parse_dbt() -> None:
    with contextlib.suppress(TickhouseError):  # the definitions say it
        dbt_project.manifest(product.load())


def _probe(process: str, port: int) -> Callable[[], str]:
    if process == "code":
        return lambda: code_ready(port)
    if process == "webserver":
        return lambda: webserver_ready(port)
    return daemon_ready


def _arguments(process: str, port: int, workspace: str) -> list[str]:
    if process == "daemon":
        return ["dagster-daemon", "run", "-w", workspace]
    return [
        *("dagster", "api", "grpc", "-m", "orchestration.definitions", *_LOCAL),
        *("--port", str(port), "--location-name", instance.LOCATION),
        # Dagster drops the path that the interpreter was started with: name it again.
        *("--working-directory", str(Path(__file__).resolve().parents[1])),
    ]


if __name__ == "__main__":
    main()
