"""Ticks of a made-up feed in a warehouse, and corrections of them as the writing path has them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from core.contracts.tick import TICK, TickArray
from core.instruments import trading_day
from core.sections import ClickhouseSettings
from tests.support.orders import at

FOLLOWS = ("feature", "label", "check", "mart", "report")


def steady_ticks(start: str, count: int, step_ms: int = 1000, bid: float = 1.17) -> TickArray:
    """A quote a second that moves a little: enough for every mart of the market to have rows."""
    ticks = np.zeros(count, TICK)
    ticks["time_msc"] = at(start) // 1000 + np.arange(count) * step_ms
    ticks["bid"] = np.round(bid + (np.arange(count) % 7) * 1e-5, 5)
    ticks["ask"] = np.round(ticks["bid"] + 1e-4, 5)
    return ticks


def tick_file(folder: Path, name: str, ticks: TickArray) -> Path:
    """The ticks as a normalised file, which says its feed by its name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.parquet"
    columns = {
        field: ticks[field] for field in ("time_msc", "bid", "ask", "last", "volume", "flags")
    }
    symbol = pa.array([name.partition("_")[0]] * len(ticks)).dictionary_encode()
    pq.write_table(
        pa.table({"symbol": symbol, **columns, "flags": ticks["flags"].astype(np.uint32)}), path
    )
    return path


def store_ticks(
    where: ClickhouseSettings, ticks: TickArray, source: str = "oanda", symbol: str = "EURUSD"
) -> None:
    """Into `tick`."""
    with Writer(where) as writer:
        writer.insert("tick", tick_columns(source, symbol, ticks))


def correct(
    client: Client, time_msc: int, bid: float, ask: float, known: str, name: str = "c1",
    what: Sequence[str] = FOLLOWS, source: str = "oanda", symbol: str = "EURUSD",
) -> str:  # fmt: skip
    """One tick gets another price: versions, correction, the tick, and what follows as pending."""
    given = {
        "source": source, "symbol": symbol, "msc": time_msc, "bid": bid, "ask": ask,
        "known": datetime.fromtimestamp(at(known) / 1e6, UTC), "name": name,
        "day": trading_day(time_msc * 1000),
    }  # fmt: skip
    feed = (
        "source = {source:String} AND symbol = {symbol:String}"
        " AND ts_event = fromUnixTimestamp64Milli({msc:Int64}, 'UTC') AND seq = 0"
    )
    columns = "source, symbol, ts_event, seq"
    said = "last, volume, flags, quality"
    rest, stored = f"{said}, ts_recv", f"{said}, recv_after_us"
    price = "toDecimal64({bid:Float64}, 8), toDecimal64({ask:Float64}, 8)"
    version = f"(SELECT max(version) FROM tick_version WHERE {feed})"
    for statement in (
        f"INSERT INTO tick_version SELECT {columns}, 0, 'first', bid, ask, {rest}, ts_known, ''"
        f" FROM tick FINAL WHERE {feed}"
        f" AND NOT EXISTS (SELECT 1 FROM tick_version WHERE {feed})",
        f"INSERT INTO tick_version SELECT {columns}, {version} + 1, 'correction', {price}, {rest},"
        f" {{known:DateTime64(6)}}, {{name:String}} FROM tick FINAL WHERE {feed}",
        "INSERT INTO correction SELECT {name:String}, {source:String}, {symbol:String},"
        " {known:DateTime64(6)}, fromUnixTimestamp64Milli({msc:Int64}, 'UTC'),"
        " fromUnixTimestamp64Milli({msc:Int64}, 'UTC'), 1, 0, 'EURUSD.csv', 'ann', 'vendor'",
        f"INSERT INTO tick ({columns}, bid, ask, {stored}, ts_noted)"
        f" SELECT {columns}, {price}, {stored}, {{known:DateTime64(6)}} FROM tick FINAL"
        f" WHERE {feed}",
        *(
            f"INSERT INTO restatement SELECT {{name:String}}, '{one}', '*', {{day:Date}},"
            " {source:String}, {symbol:String}, 'pending', {known:DateTime64(6)}, 0, '', ''"
            for one in what
        ),
    ):
        client.command(statement, parameters=given)
    return name
