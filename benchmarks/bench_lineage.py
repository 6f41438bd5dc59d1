"""From a report's row back to its ticks by one SQL query: milliseconds, among 10 M order events.

    python -m benchmarks.bench_lineage [--events N] [--repeats N] [--home DIR] [--everything]

The warehouse is filled in the engine with orders of four events each (received, submitted,
accepted, filled), one in eight denied instead, every one with its signal, prediction, feature row
and tick, in a live run that never ended. A query names run and order, as the rows of every report
do. `--home DIR` keeps the warehouse and uses it again; `--everything` asks the view without
parameters for the same row, too. Goal, 2 cores: p95 under 200 ms.
"""

import argparse
import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.table import Table

from adapters.clickhouse import migrate
from benchmarks.machine import StallMeter, Stopwatch, Took, describe
from features.catalog import NAMES
from tests.support.warehouse_server import Warehouse

GOAL_S = 0.2
_A_TIME = 1_000_000  # orders of one insert
_MOMENT = (
    "'live' AS run_id, 'live' AS mode, 'bench' AS account, 'model' AS strategy, 'sim' AS source,"
    " concat('PAIR', toString(number % 4)) AS symbol,"
    " toDateTime64('2026-01-05 00:00:00', 6, 'UTC') + toIntervalSecond(3 * number) AS ts_event"
)
_IDS = "concat('s', lower(hex(sipHash64(number)))) AS signal_id"
_ORDER = "concat('o', lower(hex(sipHash64(number)))) AS order_id"
#: What is stored of each order, by table; `number` counts orders.
_ROWS = {
    "tick": f"SELECT * EXCEPT (run_id, mode, account, strategy), toUInt32(0) AS seq,"
    f" toDecimal64(1.1, 8) AS bid, toDecimal64(1.1001, 8) AS ask"
    f" FROM (SELECT {_MOMENT} FROM {{numbers}})",
    "feature": f"SELECT {_MOMENT}, toUInt32(0) AS seq, 1.10005 AS mid, 0.0001 AS spread"
    f" FROM {{numbers}}",
    "prediction": f"SELECT {_MOMENT}, toUInt32(0) AS seq, 'm' AS model, 0.2 AS p_down,"
    f" 0.3 AS p_flat, 0.5 AS p_up FROM {{numbers}}",
    "signal": f"SELECT {_MOMENT}, {_IDS}, toUInt32(0) AS seq, ts_event AS ts_init, 1. AS target,"
    f" 1.10005 AS reference_price, 'm' AS model, 'p' AS prediction_id FROM {{numbers}}",
    "order_event": f"SELECT {_MOMENT}, {_IDS}, {_ORDER},"
    f" ['received', 'submitted', 'accepted', if(number % 8 = 0, 'denied', 'filled')] AS kinds,"
    f" kinds[n] AS kind, 4 * number + n AS seq, concat(order_id, '.', toString(n)) AS event_id,"
    f" ts_event AS ts_init, 'buy' AS side, 'entry' AS purpose, 0.1 AS volume, 1.1001 AS price,"
    f" lower(hex(sipHash64(number, n))) AS hash FROM {{numbers}} ARRAY JOIN [1, 2, 3, 4] AS n",
}
_OF_ORDER = "SELECT * FROM lineage_of(run = 'live', order = {order:String})"
_OF_ROW = f"{_OF_ORDER} WHERE journal_seq = {{row:UInt64}}"
_OF_HOUR = "SELECT * FROM lineage_between(start = {start:String}, end = {end:String})"
_OF_ALL = "SELECT * FROM lineage WHERE run_id = 'live' AND order_id = {order:String}"


class Timing(NamedTuple):
    """A question, asked again and again."""

    name: str
    took: list[Took]  # CPU of the warehouse and of us
    rows: int


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000, help="order events")
    parser.add_argument("--repeats", type=int, default=30, help="of each query")
    parser.add_argument("--home", type=Path, help="keep the warehouse here, or use what is there")
    parser.add_argument("--everything", action="store_true", help="the view `lineage`, too")
    options = parser.parse_args()
    console = Console(highlight=False)
    with _home(options.home) as home, _filled(home, options.events // 4, console) as server:
        client = server.client
        events = int(client.command("SELECT count() FROM order_event"))  # type: ignore[arg-type]
        console.print(f"{describe()}\n{events:,} order events")
        with StallMeter() as stalls:
            _show(console, list(_ask_all(server, events, options.repeats, options.everything)))
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
def _filled(home: Path, orders: int, console: Console) -> Iterator[Warehouse]:
    server = Warehouse(home)
    server.start()
    try:
        migrate.apply(server.client, NAMES)
        there = int(server.client.command("SELECT count() FROM signal"))  # type: ignore[arg-type]
        for first in range(there, orders, _A_TIME):
            started = time.perf_counter()
            _fill(server.client, first, min(_A_TIME, orders - first))
            console.print(f"orders from {first:,}: {time.perf_counter() - started:.1f} s")
        yield server
    finally:
        server.stop()


def _fill(client: Client, first: int, count: int) -> None:
    """Orders are the last table of each part, so that a kept warehouse goes on where it ended."""
    for table, rows in _ROWS.items():
        query = rows.format(numbers=f"numbers({first}, {count})")
        columns = [
            name
            for name in client.query(f"SELECT * FROM ({query}) LIMIT 0").column_names
            if name not in ("kinds", "n")
        ]
        names = ", ".join(columns)
        client.command(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM ({query})",
            settings={"max_partitions_per_insert_block": 0},
        )


def _ask_all(server: Warehouse, events: int, repeats: int, everything: bool) -> Iterator[Timing]:
    choice, client = random.Random(7), server.client
    rows = [choice.randrange(1, events) for _ in range(repeats + 1)]
    wanted = [{"order": _order_of(client, row), "row": row, **_hour_of(row)} for row in rows]
    yield _ask(server, "a report's row", _OF_ROW, wanted)
    yield _ask(server, "an order", _OF_ORDER, wanted)
    yield _ask(server, "an hour", _OF_HOUR, wanted)
    if everything:
        yield _ask(server, "an order, of `lineage`", _OF_ALL, wanted[:4])


def _order_of(client: Client, row: int) -> str:
    return str(client.command(f"SELECT any(order_id) FROM order_event WHERE seq = {row}"))


def _hour_of(row: int) -> dict[str, str]:
    start = np.datetime64("2026-01-05T00:00:00") + np.timedelta64(3 * (row // 4), "s")
    return {"start": str(start), "end": str(start + np.timedelta64(1, "h"))}


def _ask(server: Warehouse, name: str, query: str, wanted: Sequence[dict[str, object]]) -> Timing:
    took, rows = [], 0
    assert server.process is not None
    for given in wanted:
        watch = Stopwatch(server.process.pid)
        answer = list(server.client.query(query, parameters=given).named_results())
        took.append(watch.took())
        rows = len(answer)
        if not answer or any(row["tick_bid"] == 0 for row in answer):
            raise RuntimeError(f"a row without its tick: {given}")
    return Timing(name, took[1:], rows)  # the first one warms up


def _show(console: Console, timings: Sequence[Timing]) -> None:
    table = Table("question", "rows", "p50 ms", "p95 ms", "CPU ms, mean")
    for one in timings:
        walls = np.quantile([t.wall_s for t in one.took], (0.5, 0.95))
        figures = (f"{wall * 1000:,.0f}" for wall in walls)
        cpu = statistics.mean(t.cpu_s for t in one.took)  # of ticks of 10 ms each
        table.add_row(one.name, f"{one.rows:,}", *figures, f"{cpu * 1000:,.0f}")
    console.print(table)
    p95 = float(np.quantile([t.wall_s for t in timings[0].took], 0.95))
    word = "reached" if p95 < GOAL_S else "missed"
    console.print(f"goal {GOAL_S * 1000:,.0f} ms for a report's row: {word}")


if __name__ == "__main__":
    main()
