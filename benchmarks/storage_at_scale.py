"""Layouts of `tick` and `feature` at 3 M and 100 M rows (docs/adr/0007*).

Run from the repository's root: `python -m benchmarks.storage_at_scale [--ticks 100000000]`. Not
one of `make bench`: it takes minutes and some 3 GB of the temporary directory, which it gives back.

The 100 M are the recorded oanda ticks, repeated every 14 days inside the engine. Each copy goes in
as one sorted part, so a layout is measured as merges leave it. A layout that would begin after
the time limit is left out and named.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.native import TEXT, TIME, Column
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from benchmarks import tick_table
from benchmarks.machine import describe
from features.catalog import NAMES
from features.kernel import update
from features.state import new_state
from tests.support.reference_ticks import reference_ticks
from tests.support.warehouse_server import Warehouse

FEEDS = ("XAUUSD_oanda", "EURUSD_oanda", "NZDUSD_oanda")
EVERY_DAYS = 14
_KEY = "ORDER BY (source, symbol, ts_event, seq)"
_CODEC = "CODEC (GCD, Delta(8), ZSTD(1))"
_ASK = f"ask Decimal(18, 8) {_CODEC}"
_ONE_PART = (
    " SETTINGS max_insert_threads = 1, min_insert_block_size_rows = 8000000, "
    "min_insert_block_size_bytes = 4000000000, max_memory_usage = 0"
)


@dataclass(frozen=True)
class Layout:
    """How `tick` might be stored: edits of the shipped statement."""

    edits: tuple[tuple[str, str], ...] = ()

    def statement(self, table: str) -> str:
        """CREATE TABLE of this layout."""
        text = tick_table.statement(table)
        for before, after in self.edits:
            if before not in text:
                raise ValueError(f"the shipped statement of tick has no {before!r}: mend LAYOUTS")
            text = text.replace(before, after)
        return text


LAYOUTS = {
    "today": Layout(),
    "ZSTD(3)": Layout((("ZSTD(1)", "ZSTD(3)"),)),
    "spread for ask": Layout(
        ((_ASK, f"spread Decimal(18, 8) {_CODEC} COMMENT 'ask - bid', ask ALIAS bid + spread"),)
    ),
    "time first": Layout(((_KEY, "ORDER BY (ts_event, source, symbol, seq)"),)),
    "days as parts": Layout((("toYYYYMM(ts_event)", "toYYYYMMDD(ts_event)"),)),
}

#: What boards ask. {day} lies in the last copy.
QUERIES = {
    "latest quotes": "SELECT source, symbol, argMax(bid, ts_event), argMax(ask, ts_event) FROM {t} "
    "WHERE ts_event >= {day} GROUP BY source, symbol",
    "an hour's chart": "SELECT ts_event, bid, ask FROM {t} FINAL WHERE source = 'oanda' "
    "AND symbol = 'XAUUSD' AND ts_event >= {day} + INTERVAL 12 HOUR "
    "AND ts_event < {day} + INTERVAL 13 HOUR",
    "a day in seconds": "SELECT toStartOfSecond(ts_event) AS s, argMin(bid, (ts_event, seq)), "
    "max(bid), min(bid), argMax(bid, (ts_event, seq)), count() FROM {t} FINAL "
    "WHERE source = 'oanda' AND symbol = 'EURUSD' AND ts_event >= {day} "
    "AND ts_event < {day} + INTERVAL 1 DAY GROUP BY s",
    "spreads of two weeks": "SELECT symbol, toHour(ts_event) AS h, quantile(0.5)(toFloat64(ask - "
    "bid)), max(ask - bid) FROM {t} FINAL WHERE ts_event >= {day} - INTERVAL 7 DAY "
    "AND ts_event < {day} + INTERVAL 7 DAY GROUP BY symbol, h",
    "one tick": "SELECT * FROM {t} FINAL WHERE source = 'oanda' AND symbol = 'XAUUSD' "
    "AND ts_event = {day} + INTERVAL 12 HOUR AND seq = 0",
    "quality of all days": "SELECT symbol, toDate(ts_event) AS d, count(), countIf(quality > 0) "
    "FROM {t} GROUP BY symbol, d",
}

FEATURE_CODECS = {
    "LZ4 (today)": "LZ4",
    "ZSTD(1)": "ZSTD(1)",
    "Gorilla, ZSTD(1)": "Gorilla, ZSTD(1)",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=100_000_000)
    parser.add_argument("--limit-s", type=float, default=420)
    arguments = parser.parse_args()
    begin = time.monotonic()
    print(describe())
    with tempfile.TemporaryDirectory() as directory:
        server = Warehouse(Path(directory))
        server.start()
        try:
            server.migrate()
            _features(server)
            base = _base(server)
            for ticks in (3_000_000, arguments.ticks):
                for name, layout in LAYOUTS.items():
                    if time.monotonic() - begin > arguments.limit_s:
                        print(f"{ticks:,} {name}: left out, the time limit is reached")
                        continue
                    copies = max(1, round(ticks / base))
                    _measure(server.client, name, layout, copies, base)
        finally:
            server.stop()
    print(f"{time.monotonic() - begin:.0f} s; {describe()}")


def _base(server: Warehouse) -> int:
    connection = server.client
    connection.command(LAYOUTS["today"].statement("base"))
    with Writer(server.settings) as writer:
        for feed in FEEDS:
            ticks = reference_ticks(feed)
            for start in range(0, len(ticks), 200_000):
                block = tick_columns("oanda", feed[:6], ticks[start : start + 200_000])
                writer.insert("base", block)
    return int(connection.query("SELECT count() FROM base").result_rows[0][0])


def _measure(connection: Client, name: str, layout: Layout, copies: int, base: int) -> None:
    connection.command("DROP TABLE IF EXISTS layout SYNC")
    connection.command(layout.statement("layout"))
    stored = "spread" if "spread Decimal" in layout.statement("layout") else "ask"
    value = "ask - bid" if stored == "spread" else "ask"
    started = time.monotonic()
    for copy in range(copies):
        later = f"INTERVAL {copy * EVERY_DAYS} DAY"
        connection.command(
            f"INSERT INTO layout (source, symbol, ts_event, seq, bid, {stored}, last, volume, "
            f"flags, quality, recv_after_us) SELECT source, symbol, ts_event + {later}, seq, bid, "
            f"{value}, last, volume, flags, quality, recv_after_us FROM base{_ONE_PART}"
        )
    rate = copies * base / (time.monotonic() - started) / 1e6
    size, parts = connection.query(
        "SELECT sum(data_compressed_bytes), count() FROM system.parts "
        "WHERE active AND database = currentDatabase() AND table = 'layout'"
    ).result_rows[0]
    times = ", ".join(f"{n} {ms:.0f} ms" for n, ms in _times(connection, copies))
    print(
        f"{copies * base:,} {name}: {size / copies / base:.2f} bytes per tick, {parts} parts, "
        f"{rate:.2f} M rows/s; {times}",
        flush=True,
    )
    connection.command("DROP TABLE layout SYNC")


def _times(connection: Client, copies: int) -> Iterator[tuple[str, float]]:
    later = (copies - 1) * EVERY_DAYS
    day = f"(toDateTime64('2014-05-07 00:00:00', 6, 'UTC') + INTERVAL {later} DAY)"
    for name, sql in QUERIES.items():
        statement = sql.format(t="layout", day=day) + " FORMAT Null SETTINGS use_query_cache = 0"
        taken = []
        for _ in range(3):
            started = time.perf_counter()
            connection.command(statement)
            taken.append(time.perf_counter() - started)
        yield name, min(taken) * 1000


def _features(server: Warehouse) -> None:
    ticks = reference_ticks("XAUUSD_oanda")
    out = np.zeros((len(ticks), len(NAMES)), np.float32)
    index = np.zeros(len(ticks), np.int64)
    rows = int(update(new_state(), ticks, 1000, out, index))
    key = Column("ts_event", TIME, ticks["time_msc"][index[:rows]] * 1000)
    columns = [Column("symbol", TEXT, "XAUUSD"), key] + [
        Column(name, "Float32", np.ascontiguousarray(out[:rows, i])) for i, name in enumerate(NAMES)
    ]
    for name, codec in FEATURE_CODECS.items():
        table = "features_" + "".join(c for c in name if c.isalnum()).lower()
        kinds = ", ".join(f"{n} Float32 CODEC ({codec})" for n in NAMES)
        _feature_table(server.client, table, kinds)
        started = time.monotonic()
        with Writer(server.settings) as writer:
            writer.insert(table, columns)
        _tell_features(server.client, name, table, rows, started, NAMES[0])
    _feature_table(server.client, "features_array", "vector Array(Float32) CODEC (ZSTD(1))")
    source, names = "features_lz4today", ", ".join(NAMES)
    started = time.monotonic()
    server.client.command(
        f"INSERT INTO features_array SELECT symbol, ts_event, [{names}] FROM {source}"
    )
    _tell_features(
        server.client, "one array, ZSTD(1)", "features_array", rows, started, "vector[1]"
    )


def _feature_table(connection: Client, table: str, columns: str) -> None:
    connection.command(
        f"CREATE TABLE {table} (symbol LowCardinality(String), ts_event DateTime64(6, 'UTC') "
        f"{_CODEC}, {columns}) ENGINE = MergeTree ORDER BY (symbol, ts_event)"
    )


def _tell_features(
    connection: Client, name: str, table: str, rows: int, started: float, one: str
) -> None:
    rate = rows / (time.monotonic() - started) / 1e6
    size = connection.query(
        "SELECT sum(data_compressed_bytes) FROM system.parts WHERE active AND table = {t:String}",
        parameters={"t": table},
    ).result_rows[0][0]
    begin = time.perf_counter()
    connection.command(f"SELECT avg({one}), quantile(0.9)({one}) FROM {table} FORMAT Null")
    taken_ms = (time.perf_counter() - begin) * 1000
    print(
        f"{rows:,} feature rows, {name}: {size / rows:.1f} bytes per row, {rate:.2f} M rows/s in, "
        f"one feature of all rows {taken_ms:.1f} ms"
    )


if __name__ == "__main__":
    main()
