"""Runs `tickhouse replay` as a user would, and looks at what it left."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from clickhouse_connect.driver.client import Client

from cli.stack import running as running_stack
from cli.stack.supervisor_client import SupervisorClient
from core.errors import UnavailableError
from tests.support.waiting import until
from tests.support.warehouse_server import Warehouse

#: Tables of one run whose rows must not depend on crashes, and how to pick the run's rows.
TABLES = {
    "tick": "1",
    "bar": "interval != '1s'",
    "feature": "run_id = {run:String}",
    "prediction": "run_id = {run:String}",
    "signal": "run_id = {run:String}",
    "order_event": "run_id = {run:String}",
}


def cut(source: Path, target: Path, start: int, rows: int) -> Path:
    """Some consecutive rows of a tick file, under the same name."""
    target.mkdir(parents=True, exist_ok=True)
    path = target / source.name
    pq.write_table(pq.read_table(source).slice(start, rows), path, row_group_size=20_000)
    return path


def environment(home: Path, **more: str) -> dict[str, str]:
    """A clean environment for the command."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
    return {**kept, "TICKHOUSE_HOME": str(home), **more}


def start_replay(home: Path, arguments: list[str], **more: str) -> "subprocess.Popen[str]":
    """`tickhouse replay ... --json` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "replay", *arguments, "--json"],
        env=environment(home, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def replay(home: Path, arguments: list[str], **more: str) -> dict[str, Any]:
    """Run it to the end; fails the test with its words when it does not exit 0."""
    return finished(start_replay(home, arguments, **more))


def finished(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """The result of a started replay."""
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, f"exit {process.returncode}\n{out[-3000:]}\n{err[-3000:]}"
    result: dict[str, Any] = json.loads(out)
    return result


def pids(home: Path) -> dict[str, int]:
    """Of the processes of the stack that run on a home at this moment, by name."""
    running = running_stack.running(home)
    if running is None:
        return {}
    client = SupervisorClient(Path(running.socket))
    try:
        return {name: one.pid for name, one in client.processes().items() if one.pid}
    except UnavailableError:
        return {}
    finally:
        client.close()


def pid_of(home: Path, name: str) -> int:
    """The pid of one of them, 0 while there is none."""
    return pids(home).get(name, 0)


def kill_in_turn(home: Path, moments: Iterable[tuple[str, float]]) -> list[str]:
    """SIGKILL processes so many seconds after execution works and all of them run.

    Returns the names of those that still ran when their moment came.
    """
    ordered = sorted(moments, key=lambda item: item[1])
    names, works = {name for name, _ in ordered}, home / "run" / "execution.json"
    until(lambda: works.exists() and names <= pids(home).keys(), 120, every_s=0.1)
    begin = time.monotonic()
    killed = []
    for name, after_s in ordered:
        time.sleep(max(0.0, begin + after_s - time.monotonic()))
        if pid := pid_of(home, name):
            os.kill(pid, signal.SIGKILL)
            killed.append(name)
    return killed


@contextmanager
def warehouse_on(home: Path) -> Iterator[Client]:
    """The warehouse of a home where nothing else runs."""
    server = Warehouse(home)
    server.start()
    try:
        yield server.client
    finally:
        server.stop()


def checksums(home: Path, run_id: str, more: Mapping[str, str] = {}) -> dict[str, tuple[int, int]]:
    """Rows and an order-independent checksum over all columns of each table of a run.

    `more`: further tables.
    """
    with warehouse_on(home) as client:
        return {
            table: client.query(
                f"SELECT count(), groupBitXor(cityHash64(*)) FROM {table}"
                f"{'' if table == 'bar' else ' FINAL'} WHERE {where}",
                parameters={"run": run_id},
            ).result_rows[0]
            for table, where in (TABLES | dict(more)).items()
        }
