"""Writers and readers of mixed formats and sessions against one warehouse, and what they saw.

A writer's rows carry its number and a counter, so that what is stored can be compared with what
was acknowledged, row by row if need be; a materialized view sums them up.
"""

import io
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import urllib3

from adapters.clickhouse.native import Column, encode_block
from tests.support.warehouse_server import Warehouse

TABLES = (
    "CREATE DATABASE IF NOT EXISTS traffic",
    "CREATE TABLE traffic.row (writer UInt32, number UInt64, value Float64) ENGINE = MergeTree "
    "ORDER BY (writer, number)",
    "CREATE TABLE traffic.total (writer UInt32, numbers UInt64, rows UInt64) "
    "ENGINE = SummingMergeTree ORDER BY writer",
    "CREATE MATERIALIZED VIEW traffic.total_from_row TO traffic.total AS "
    "SELECT writer, sum(number) AS numbers, count() AS rows FROM traffic.row GROUP BY writer",
)
_READS = (
    ("SELECT writer, count(), sum(value) FROM traffic.row GROUP BY writer", "JSONEachRow"),
    ("SELECT * FROM traffic.row ORDER BY number DESC LIMIT 5000", "Native"),
    ("SELECT * FROM traffic.row LIMIT 5000", "RowBinary"),
    ("SELECT * FROM traffic.row LIMIT 2000", "Arrow"),
    ("SELECT * FROM traffic.row LIMIT 2000", "Parquet"),
    ("SELECT * FROM traffic.total", "CSV"),
)


def _arrow(writer: int, numbers: np.ndarray) -> pa.Table:
    values = {"writer": np.full(len(numbers), writer, "<u4"), "number": numbers}
    return pa.table(values | {"value": numbers * 0.5})


def _native(writer: int, numbers: np.ndarray) -> bytes:
    return encode_block(
        [
            Column("writer", "UInt32", np.full(len(numbers), writer, "<u4")),
            Column("number", "UInt64", numbers),
            Column("value", "Float64", numbers * 0.5),
        ]
    )


def _row_binary(writer: int, numbers: np.ndarray) -> bytes:
    rows = np.zeros(len(numbers), [("writer", "<u4"), ("number", "<u8"), ("value", "<f8")])
    rows["writer"], rows["number"], rows["value"] = writer, numbers, numbers * 0.5
    return rows.tobytes()


def _json(writer: int, numbers: np.ndarray) -> bytes:
    return b"".join(
        b'{"writer":%d,"number":%d,"value":%s}\n' % (writer, n, str(n * 0.5).encode())
        for n in numbers.tolist()
    )


def _csv(writer: int, numbers: np.ndarray) -> bytes:
    sink = io.BytesIO()
    pyarrow.csv.write_csv(
        _arrow(writer, numbers), sink, pyarrow.csv.WriteOptions(include_header=False)
    )
    return sink.getvalue()


def _arrow_file(writer: int, numbers: np.ndarray) -> bytes:
    sink, table = io.BytesIO(), _arrow(writer, numbers)
    with pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    return sink.getvalue()


def _parquet(writer: int, numbers: np.ndarray) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(_arrow(writer, numbers), sink)
    return sink.getvalue()


FORMATS: dict[str, Callable[[int, np.ndarray], bytes]] = {
    "Native": _native,
    "RowBinary": _row_binary,
    "JSONEachRow": _json,
    "CSV": _csv,
    "Arrow": _arrow_file,
    "Parquet": _parquet,
}


@dataclass
class Traffic:
    """What the clients did. `acknowledged`: rows and sum of numbers per writer."""

    server: Warehouse
    acknowledged: dict[int, tuple[int, int]] = field(default_factory=dict)
    reads: int = 0
    errors: list[str] = field(default_factory=list)

    def run(self, seconds: float, writers: int = 8, readers: int = 8) -> None:
        """Both kinds of clients for so long; every second one in sessions."""
        end = time.monotonic() + seconds
        with urllib3.PoolManager(maxsize=writers + readers) as http:
            threads = [
                *(
                    threading.Thread(target=self._write, args=(http, n, end))
                    for n in range(writers)
                ),
                *(threading.Thread(target=self._read, args=(http, n, end)) for n in range(readers)),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def _write(self, http: urllib3.PoolManager, writer: int, end: float) -> None:
        rows = total = 0
        kinds = itertools.cycle(list(FORMATS)[writer % 6 :] + list(FORMATS)[: writer % 6])
        while time.monotonic() < end:
            name = next(kinds)
            size = 100_000 if name == "Native" and rows % 7 == 0 else 1000  # some are streamed
            numbers = np.arange(rows, rows + size, dtype="<u8")
            sql = f"INSERT INTO traffic.row FORMAT {name}"
            if self._ask(http, sql, FORMATS[name](writer, numbers), self._session("w", writer)):
                rows, total = rows + size, total + int(numbers.sum())
        self.acknowledged[writer] = (rows, total)

    def _read(self, http: urllib3.PoolManager, reader: int, end: float) -> None:
        for sql, name in itertools.islice(itertools.cycle(_READS), reader, None):
            if time.monotonic() >= end:
                return
            if self._ask(http, f"{sql} FORMAT {name}", b"", self._session("r", reader)):
                self.reads += 1

    def _session(self, kind: str, number: int) -> dict[str, str]:
        if number % 2:
            return {}
        # A new one every second: sessions that nobody ends, as clients leave them.
        name = f"{kind}{number}-{int(time.monotonic())}"
        return {"session_id": name, "session_timeout": "2"}

    def _ask(
        self, http: urllib3.PoolManager, sql: str, body: bytes, session: dict[str, str]
    ) -> bool:
        url = f"{self.server.url}/?{urlencode({'query': sql, **session})}"
        answer = http.request("POST", url, body=body, headers=self.server.owner, retries=False)
        if answer.status != 200 or b"__exception__" in answer.data:
            self.errors.append(answer.data[-500:].decode(errors="replace"))
            return False
        return True

    def stored(self) -> dict[int, tuple[int, int]]:
        """Rows and sum of numbers per writer, as stored."""
        return self._sums("SELECT writer, count(), sum(number) FROM traffic.row GROUP BY writer")

    def viewed(self) -> dict[int, tuple[int, int]]:
        """The same, as the materialized view summed it up."""
        sql = "SELECT writer, sum(rows), sum(numbers) FROM traffic.total GROUP BY writer"
        return self._sums(sql)

    def _sums(self, sql: str) -> dict[int, tuple[int, int]]:
        rows = self.server.client.query(sql).result_rows
        return {writer: (count, total) for writer, count, total in rows}


def make_tables(server: Warehouse) -> None:
    """Table, view and its target."""
    server.migrate()
    connection = server.client
    for statement in TABLES:
        connection.command(statement)


def resident_mib(pid: int) -> float:
    """Memory of a process that is really there."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} tells no VmRSS")


def descriptors(pid: int) -> int:
    """How many files and sockets a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


class PeakMemory:
    """The most memory a process had while this was entered, in MiB."""

    def __init__(self, pid: int) -> None:
        self._pid, self._done = pid, threading.Event()
        self.before = self.peak = resident_mib(pid)
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def above(self) -> float:
        """The peak above what it had before."""
        return self.peak - self.before

    def _sample(self) -> None:
        while not self._done.wait(0.02):
            self.peak = max(self.peak, resident_mib(self._pid))


def blocks(size_mib: int) -> Iterator[bytes]:
    """Native blocks for traffic.row of about one MiB each, `size_mib` of them."""
    rows = (1 << 20) // 20
    for number in range(size_mib):
        yield _native(99, np.arange(number * rows, (number + 1) * rows, dtype="<u8"))
