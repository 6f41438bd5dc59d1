"""Every panel query of every board, macros expanded as Grafana's plugin does: p95 of each.

    python -m benchmarks.bench_boards [--repeats N] [--big] [--home DIR] [--panel TEXT]

The warehouse is filled by a replay of the three oanda files (2.4 M ticks, with a model and the
scripted rule's orders) and one dbt build. `--big` repeats all of it every 14 days of market time
until there are 100 M ticks, in the engine, with bars from the ticks as always; marts stay those of
the first. The time picker spans everything, the harshest a person can choose. `--home DIR` keeps
the warehouse and uses it again. Goals, 2 cores: p95 under 100 ms, and under 1 s with `--big`.

Without `--big` it is part of `make bench`; `--big` takes minutes and 3 GB of the home's disk.
"""

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.table import Table

from benchmarks.machine import StallMeter, describe
from benchmarks.market import recorded_files, write_generated
from dashboards.grafana.__main__ import BOARDS
from tests.e2e.replay_runs import replay
from tests.integration.analysed import MARTS, dbt
from tests.support.board_panels import targets, with_parameters
from tests.support.warehouse_server import Warehouse

GOAL_S, BIG_GOAL_S = 0.1, 1.0
BIG_TICKS = 100_000_000
_EVERY_DAYS = 14
_LATER = "ts_event + toIntervalDay({days}) AS ts_event"
_NUMBERED = "seq + {copy} * 10000000 AS seq"
#: What changes in a copy, so that it is other rows of the same tables.
_COPIES = {
    "tick": _LATER,
    "prediction": _LATER,
    "signal": f"{_LATER}, concat(signal_id, '.{{copy}}') AS signal_id",
    "order_event": f"{_LATER}, {_NUMBERED}, concat(order_id, '.{{copy}}') AS order_id,"
    " concat(signal_id, '.{copy}') AS signal_id, concat(event_id, '.{copy}') AS event_id",
    "position": f"{_LATER}, {_NUMBERED}",
    "account_state": f"{_LATER}, {_NUMBERED}",
}


class Timed(NamedTuple):
    """A panel's query: seconds of each run, and rows answered."""

    board: str
    title: str
    seconds: list[float]
    rows: int

    @property
    def p95(self) -> float:
        """Seconds."""
        return float(np.quantile(self.seconds, 0.95))


def main() -> None:
    """Fill, ask, print; those that miss the goal first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20, help="of each query")
    parser.add_argument("--big", action="store_true", help="100 M ticks")
    parser.add_argument("--home", type=Path, help="keep the warehouse here, or use what is there")
    parser.add_argument("--panel", default="", help="only panels with this in their title")
    options = parser.parse_args()
    console, goal = Console(highlight=False), BIG_GOAL_S if options.big else GOAL_S
    with _home(options.home) as home, _filled(home) as client:
        if options.big:
            _multiply(client, console)
        ticks = int(client.command("SELECT count() FROM tick"))  # type: ignore[arg-type]
        console.print(f"{describe()}\n{ticks:,} ticks")
        with StallMeter() as stalls:
            timed = list(_ask_all(client, options.panel, options.repeats))
    _show(console, timed, goal)
    console.print(f"sleep of 1 ms late by, p99: {np.quantile(stalls.late_ns, 0.99) / 1e6:.1f} ms")


@contextlib.contextmanager
def _home(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@contextlib.contextmanager
def _filled(home: Path) -> Iterator[Client]:
    done = home / "bench_boards"
    if not done.exists():
        files = recorded_files() or write_generated(home)
        replay(home, [*map(str, files), "--strategy", "scripted", "--train-first", "0.3"])
    server = Warehouse(home)
    server.start()
    try:
        if not done.exists():
            built = dbt(home, server.settings_of("dbt"), "run")
            if built.returncode:
                raise RuntimeError(built.stdout[-3000:])
            done.touch()
        yield server.client
    finally:
        server.stop()


def _multiply(client: Client, console: Console) -> None:
    """Copies of everything, the newest last; views make the bars of the copied ticks."""
    rows = int(client.command("SELECT count() FROM tick"))  # type: ignore[arg-type]
    if rows >= BIG_TICKS * 0.9:
        return
    copies = round(BIG_TICKS / rows)
    for copy in range(1, copies):
        started = time.perf_counter()
        for table, changes in _COPIES.items():
            _copy(client, table, changes.format(copy=copy, days=copy * _EVERY_DAYS))
        console.print(f"copy {copy + 1} of {copies}: {time.perf_counter() - started:.1f} s")


def _copy(client: Client, table: str, changes: str) -> None:
    """The first copy's rows with the changes; they are those of before the next 14 days."""
    columns = ", ".join(
        name
        for (name,) in client.query(
            "SELECT name FROM system.columns WHERE database = currentDatabase()"
            f" AND table = '{table}' AND default_kind NOT IN ('ALIAS', 'MATERIALIZED')"
            " ORDER BY position"
        ).result_rows
    )
    first = f"(SELECT min(ts_event) FROM tick) + toIntervalDay({_EVERY_DAYS})"
    client.command(
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM"
        f" (SELECT * REPLACE ({changes}) FROM {table} WHERE {table}.ts_event < {first})",
        settings={"max_insert_threads": 1, "max_partitions_per_insert_block": 0},
    )


def _ask_all(client: Client, part: str, repeats: int) -> Iterator[Timed]:
    for board in BOARDS:
        for title, _panel, sql in targets(board):
            if part.lower() in title.lower():
                yield _ask(
                    client, board, title, with_parameters(client, MARTS, "replay", sql), repeats
                )


def _ask(client: Client, board: str, title: str, statement: str, repeats: int) -> Timed:
    seconds, rows = [], 0
    for _ in range(repeats + 1):
        started = time.perf_counter()
        rows = len(client.query(statement).result_rows)
        seconds.append(time.perf_counter() - started)
    return Timed(board, title, seconds[1:], rows)  # the first one warms up


def _show(console: Console, timed: list[Timed], goal: float) -> None:
    table = Table("board", "panel", "rows", "p50 ms", "p95 ms", "")
    for one in sorted(timed, key=lambda t: -t.p95):
        figures = (f"{np.median(one.seconds) * 1000:,.0f}", f"{one.p95 * 1000:,.0f}")
        missed = "" if one.p95 < goal else "over the goal"
        table.add_row(one.board, one.title, f"{one.rows:,}", *figures, missed)
    console.print(table)
    over = [one.title for one in timed if one.p95 >= goal]
    console.print(f"goal {goal * 1000:,.0f} ms: {len(timed) - len(over)} of {len(timed)} reach it")
    if over:
        console.print(f"over it: {', '.join(over)}")


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "110")
    main()
