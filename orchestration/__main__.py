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

from core import log
from core import settings as product
from core.errors import TickhouseError
from core.process import Process, Stopping
from orchestration import dbt_project, instance
from orchestration.bounded_end import end_within
from orchestration.readiness import code_ready, daemon_ready, watch, webserver_ready


def main() -> int:
    """Serve until SIGTERM. Returns Dagster's exit status."""
    parser = argparse.ArgumentParser(prog="orchestration", description=__doc__)
    parser.add_argument("process", choices=["code", "daemon", "webserver"])
    parser.add_argument("--port", type=int, default=0, help="of the webserver")
    given = parser.parse_args()
    home = product.load().home_path
    os.environ.pop("MALLOC_ARENA_MAX", None)  # of this process; what it starts may train a model
    if given.process == "code":  # dbt reads its project while Dagster is loaded
        threading.Thread(target=_parse_dbt, daemon=True).start()
    # Signals are Dagster's.
    with Process(f"orchestration.{given.process}", home / "run", Stopping()) as process:
        probe = _probe(given.process, given.port, home)
        threading.Thread(target=watch, args=(process, probe), daemon=True).start()
        if given.process == "webserver":
            from orchestration.webserver import serve

            serve(home, given.port)
            return 0
        if given.process == "daemon":
            _reload_seldom()
        end_within()
        status = _dagster(_arguments(given.process, home))
    # Threads that still evaluate a sensor would hold the end up beyond the drain.
    os._exit(status)


def _dagster(arguments: list[str]) -> int:
    sys.argv = arguments
    module = "dagster" if arguments[0] == "dagster" else "dagster._daemon"
    try:
        runpy.run_module(module, run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _reload_seldom() -> None:
    """Definitions are loaded anew every 150 seconds: each minute, as Dagster does, is a fifth of
    the daemon's work. A code server that started again is noticed by the thread that watches it.
    """
    from dagster._daemon import controller

    controller.RELOAD_WORKSPACE_INTERVAL = 150  # after 300 without success the daemon ends


def _parse_dbt() -> None:
    with contextlib.suppress(TickhouseError):  # the definitions say it
        dbt_project.manifest(product.load())


def _probe(process: str, port: int, home: Path) -> Callable[[], str]:
    if process == "code":
        return lambda: code_ready(instance.code_socket(home))
    if process == "webserver":
        return lambda: webserver_ready(port, home)
    return daemon_ready


def _arguments(process: str, home: Path) -> list[str]:
    if process == "daemon":
        return [
            "dagster-daemon",
            "run",
            "-w",
            str(instance.workspace(home)),
            "--log-format",
            "json",
        ]
    return [
        *("dagster", "api", "grpc", "-m", "orchestration.definitions", "--log-format", "json"),
        *("--socket", str(instance.code_socket(home)), "--location-name", instance.LOCATION),
        # Dagster drops the path that the interpreter was started with: name it again.
        *("--working-directory", str(Path(__file__).resolve().parents[1])),
    ]


if __name__ == "__main__":
    sys.exit(log.exit_code(main))
