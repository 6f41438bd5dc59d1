"""The API beside bare servers: requests a second, p95, and the server's CPU time of a request.

    python -m benchmarks.bench_api [--seconds N] [--connections N ...] [--litestar PYTHON]

The product's own process (`python -m api`) on a fresh home with a bus, and a key; uvicorn alone,
Starlette, FastAPI and, where PYTHON has it installed, Litestar, each with the same bytes to give.
Client and server share the machine's cores, so a rate is what both reach together; the CPU time of
a request is the server's alone and is what compares. Goal: 20,000 requests/s of what is now, with
a p95 under 50 ms.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from adapters.bus import select
from api import keys
from benchmarks.bare_api import KINDS
from benchmarks.http_load import load
from benchmarks.machine import describe
from core.clock import SystemClock
from core.contracts import codec
from core.sections import BusSettings
from core.topics import TICKS
from tests.support.live_page import batch, now_msc
from tests.support.servers import NatsServer, free_port
from tests.support.waiting import until

_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure each, with more and more connections; print all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 128, 512])
    parser.add_argument("--litestar", default="", metavar="PYTHON", help="one that has it")
    options = parser.parse_args()
    console = Console(highlight=False)
    console.print(describe())
    table = Table("server", "asked", "connections", "requests/s", "p50 ms", "p95 ms", "CPU µs")
    for kind in KINDS:
        python = options.litestar if kind == "litestar" else sys.executable
        if python and (kind != "litestar" or options.litestar or find_spec("litestar")):
            with _bare(python, kind) as server:
                _measure(table, kind, server, ("/now", "/rows"), options)
    with tempfile.TemporaryDirectory() as directory, _ours(Path(directory)) as (server, key):
        paths = ("/v1/now/quotes",)
        _measure(table, "ours", server, paths, options, f"Authorization: Bearer {key}")
    console.print(table)


def _measure(
    table: Table, name: str, server: tuple[int, int], paths: Sequence[str],
    options: argparse.Namespace, header: str = "Authorization: Bearer nobody",
) -> None:  # fmt: skip
    port, pid = server
    for path in paths:
        uvloop.run(load(port, path, 4, 0.5, header))  # warm
        for connections in options.connections:
            before = _cpu_s(pid)
            done = uvloop.run(load(port, path, connections, options.seconds, header))
            used = (_cpu_s(pid) - before) / done.answers * 1e6
            table.add_row(
                name, path, str(connections), f"{done.per_s:,.0f}",
                f"{done.quantile_ms(0.5):.2f}", f"{done.quantile_ms(0.95):.2f}", f"{used:.0f}",
            )  # fmt: skip


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def _bare(python: str, kind: str) -> Iterator[tuple[int, int]]:
    port = free_port()
    root = str(Path(__file__).parents[1])
    line = [python, str(Path(__file__).with_name("bare_api.py")), kind, str(port)]
    with _running(line, os.environ | {"PYTHONPATH": root}) as process:
        until(lambda: _answers(port), running=process)
        yield port, process.pid


@contextmanager
def _ours(home: Path) -> Iterator[tuple[tuple[int, int], str]]:
    (home / "nats").mkdir()
    key, text = keys.new_key(
        home, "bench", "bench", ["market"], 1, keys.MOST_PER_MINUTE, SystemClock().now_us()
    )
    keys.save(home, {key.key_id: key})
    with NatsServer(home / "nats") as bus:
        environment = os.environ | {
            "TICKHOUSE_HOME": str(home), "TICKHOUSE_BUS__URL": bus.url,
            "TICKHOUSE_CLICKHOUSE__URL": "http://127.0.0.1:9",
        }  # fmt: skip
        port = free_port()
        line = [sys.executable, "-m", "api", "--port", str(port)]
        with _running(line, environment) as process:
            until(lambda: _answers(port), running=process)
            _tell_a_tick(bus.url)
            yield (port, process.pid), text


def _tell_a_tick(url: str) -> None:
    bus = select.connect(BusSettings(url=url), "bench")
    tick = batch(0, now_msc(), 50_000.0)
    bus.publish(TICKS, "sim/BTCUSD", codec.encode(tick), "1")
    bus.close()


@contextmanager
def _running(line: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(line, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(port: int) -> bool:
    async def ask() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    try:
        asyncio.run(ask())
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
