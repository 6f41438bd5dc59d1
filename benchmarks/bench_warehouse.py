"""What the HTTP server in front of the embedded engine costs, beside the same engine in process.

    python -m benchmarks.bench_warehouse [--rounds N]

Both sides take the same bytes in the same run, turn and turn about, because another load on the
machine would tell them apart otherwise. Goals are ratios, so they hold on any machine.
"""

import argparse
import http.client
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import numpy as np
from rich.console import Console
from rich.table import Table

from adapters.clickhouse.native import encode_block
from adapters.clickhouse.rows import tick_columns
from benchmarks import tick_table
from benchmarks.figures import Figure, note
from benchmarks.machine import describe
from benchmarks.market import some_ticks
from tests.support.warehouse_server import Warehouse
from warehouse.engine.engine import Chdb, Context
from warehouse.protocol.statement import Statement

BLOCK = 200_000
_INSERT = Statement("INSERT INTO market.tick", "Native")
_READ = "SELECT * FROM market.tick FORMAT Native"
_LIGHT = "SELECT symbol, max(bid) FROM market.tick WHERE seq = 0 GROUP BY symbol"


class Wire:
    """The server over one kept HTTP connection."""

    def __init__(self, server: Warehouse) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port)
        self._owner = server.owner

    def run(self, sql: str, data: bytes = b"") -> bytes:
        """A statement's answer."""
        body = data or sql.encode()
        path = "/?" + urlencode({"query": sql}) if data else "/"
        self._connection.request("POST", path, body, self._owner)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(answer.decode())
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class InProcess:
    """The engine without a server, on one kept connection."""

    def __init__(self, engine: Chdb) -> None:
        self._connection = engine.connect()

    def run(self, sql: str) -> bytes:
        """A statement's answer."""
        return self._connection.run(Statement(sql), Context()).body

    def insert(self, data: bytes) -> None:
        """Store a block as chDB does by itself: nothing asks afterwards whether it is stored."""
        insert = self._connection.insert(_INSERT, Context(), verify=False)
        insert.append(data)
        insert.commit()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    console = Console()
    console.print(describe())
    with tempfile.TemporaryDirectory() as directory:
        server, engine = Warehouse(Path(directory) / "server"), Chdb(Path(directory) / "engine")
        server.start()
        wire, inside = Wire(server), InProcess(engine)
        try:
            console.print(_compare(wire, inside, rounds))
            _clients(console, server)
            _restart(console, server)
        finally:
            wire.close()
            inside.close()
            engine.close()
            server.stop()
    console.print(describe())


def _compare(wire: Wire, inside: InProcess, rounds: int) -> Table:
    for sql in ("CREATE DATABASE market", _statement()):
        wire.run(sql)
        inside.run(sql)
    ticks = some_ticks(None, 2 * BLOCK)
    rest, block = (
        encode_block(tick_columns("oanda", "XAUUSD", part)) for part in np.array_split(ticks, 2)
    )
    insert = f"{_INSERT.sql} FORMAT Native"
    table = Table("median of a round", "in process, ms", "over HTTP, ms", "ratio", "goal")
    near, far = _alternately(
        lambda: inside.run("SELECT 1"), lambda: wire.run("SELECT 1"), 60 * rounds
    )
    _row(table, "select 1", near, far, far / near, "at most 2.5", far / near <= 2.5)
    near, far = _alternately(lambda: inside.insert(block), lambda: wire.run(insert, block), rounds)
    _row(table, f"insert {BLOCK:,} ticks", near, far, near / far, "at least 0.9", near / far >= 0.9)
    inside.insert(rest)
    wire.run(insert, rest)
    for run in (inside.run, wire.run):
        run("OPTIMIZE TABLE market.tick FINAL")
    near, far = _alternately(lambda: inside.run(_READ), lambda: wire.run(_READ), rounds)
    _row(table, f"read {2 * BLOCK:,}", near, far, near / far, "at least 0.7", near / far >= 0.7)
    return table


def _statement() -> str:
    return tick_table.statement("market.tick")


def _row(
    table: Table, what: str, near: float, far: float, ratio: float, goal: str, met: bool
) -> None:
    said = f"{goal}: {'reached' if met else 'NOT reached'}"
    least, reach = what != "select 1", {"s": 2.2, "i": 0.9, "r": 0.85}[what[0]]
    # A speed, in runs a second, is the better the higher; the answer to one question is a time.
    ours, floor = (1000 / far, 1000 / near) if least else (far, near)
    note(Figure(
        f"embedded warehouse over HTTP, {what}; floor: in process", ours,
        "a second" if least else "ms", "python -m benchmarks.bench_warehouse", reach, "ratio",
        least=least, floor=floor,
    ))  # fmt: skip
    table.add_row(what, f"{near:.2f}", f"{far:.2f}", f"{ratio:.2f}", said)


def _alternately(
    near: Callable[[], object], far: Callable[[], object], rounds: int
) -> tuple[float, float]:
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for call, times in zip((near, far), taken, strict=True):
            started = time.perf_counter()
            call()
            times.append((time.perf_counter() - started) * 1000)
    return median(taken[0]), median(taken[1])


def _clients(console: Console, server: Warehouse) -> None:
    rates: dict[int, list[float]] = {4: [], 16: []}
    for _ in range(3):
        for clients, per_second in rates.items():
            per_second.append(_throughput(server, clients))
    few, many = median(rates[4]), median(rates[16])
    met = "reached" if many >= few else "NOT reached"
    console.print(f"queries/s of 4 clients {few:.0f}, of 16 {many:.0f}: {many / few:.2f}, {met}")


def _throughput(server: Warehouse, clients: int, seconds: float = 2.0) -> float:
    done, end = [0] * clients, time.monotonic() + seconds

    def ask(number: int) -> None:
        wire = Wire(server)
        while time.monotonic() < end:
            wire.run(_LIGHT)
            done[number] += 1
        wire.close()

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


def _restart(console: Console, server: Warehouse) -> None:
    taken = []
    for _ in range(3):
        server.kill()
        started = time.perf_counter()
        server.start()
        taken.append(time.perf_counter() - started)
    met = "reached" if median(taken) < 2 else "NOT reached"
    console.print(f"restart after kill -9: {median(taken):.2f} s, goal 2 s: {met}")


if __name__ == "__main__":
    main()
