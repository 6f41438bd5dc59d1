"""Bytes per tick and rows per second of codecs for `tick` (docs/adr/0002-tick-storage.md).

Run from the repository's root: `python -m benchmarks.bench_tick_storage`. Every variant is a copy
of `tick` without bars, filled with the recorded gold ticks over HTTP and merged into one part.
"""

import re
import tempfile
import time
from pathlib import Path

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.native import Column
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from benchmarks import tick_table
from benchmarks.figures import Figure, note
from tests.support.reference_ticks import reference_ticks
from tests.support.warehouse_server import Warehouse

#: Codec of times and prices.
VARIANTS = {
    "plain": "LZ4",
    "zstd": "ZSTD(1)",
    "delta_lz4": "Delta(8), LZ4",
    "delta_zstd": "Delta(8), ZSTD(1)",
    "delta_zstd_3": "Delta(8), ZSTD(3)",
    "t64_zstd": "T64, ZSTD(1)",
    "gcd_t64_zstd": "GCD, T64, ZSTD(1)",
    "gcd_delta_zstd": "GCD, Delta(8), ZSTD(1)",
}
BLOCK = 100_000


def main() -> None:
    ticks = reference_ticks("XAUUSD_oanda")
    cuts = range(0, len(ticks), BLOCK)
    blocks = [tick_columns("oanda", "XAUUSD", ticks[i : i + BLOCK]) for i in cuts]
    with tempfile.TemporaryDirectory() as directory:
        server = Warehouse(Path(directory))
        server.start()
        try:
            server.migrate()
            _note_shipped(server, blocks, len(ticks))
            for name, codec in VARIANTS.items():
                size, rate = _measure(server, f"tick_{name}", codec, blocks, len(ticks))
                print(f"{codec:24} {size:6.2f} bytes per tick, {rate:.2f} M rows/s")
        finally:
            server.stop()


def _note_shipped(server: Warehouse, blocks: list[list[Column]], rows: int) -> None:
    """The table `tick` with all its columns, as every migration leaves it, merged."""
    with Writer(server.settings) as writer:
        for block in blocks:
            writer.insert("tick", block)
    server.client.command("OPTIMIZE TABLE tick FINAL")
    columns = server.client.query(
        "SELECT column, sum(column_data_compressed_bytes) AS bytes FROM system.parts_columns "
        "WHERE active AND database = currentDatabase() AND table = 'tick' "
        "GROUP BY column ORDER BY bytes DESC"
    ).result_rows
    each = ", ".join(f"{name} {size / rows:.2f}" for name, size in columns if size / rows >= 0.01)
    size = sum(size for _, size in columns) / rows
    print(f"{'as shipped':24} {size:6.2f} bytes per tick: {each}")
    note(Figure(
        "stored tick, every column of `tick`, merged", size, "bytes",
        "python -m benchmarks.bench_tick_storage", 5.0,
    ))  # fmt: skip


def _measure(
    server: Warehouse, table: str, codec: str, blocks: list[list[Column]], rows: int
) -> tuple[float, float]:
    connection = server.client
    _create(connection, table, codec)
    with Writer(server.settings) as writer:
        started = time.perf_counter()
        for block in blocks:
            writer.insert(table, block)
        seconds = time.perf_counter() - started
    connection.command(f"OPTIMIZE TABLE {table} FINAL")
    size = connection.query(
        "SELECT sum(data_compressed_bytes) FROM system.parts WHERE active AND table = {t:String}",
        parameters={"t": table},
    ).result_rows[0][0]
    return size / rows, rows / seconds / 1e6


def _create(connection: Client, table: str, codec: str) -> None:
    statement = tick_table.statement(table)
    connection.command(
        re.sub(r"CODEC \(GCD, Delta\(8\), ZSTD\(1\)\)", f"CODEC ({codec})", statement)
    )


if __name__ == "__main__":
    main()
