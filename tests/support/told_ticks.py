"""Ticks as files and streams tell them to a warehouse, the way its own processes do."""

from functools import partial
from pathlib import Path

import numpy as np

from adapters.clickhouse.background import BackgroundWriter
from adapters.clickhouse.corrections import Corrections
from adapters.clickhouse.finish import finish
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.tick_blocks import FeedPolicy, TickBlocks
from adapters.clickhouse.writer import Writer
from core import audit_log
from core.clock import SystemClock
from core.contracts.tick import TICK
from core.home_users import SETUP
from streams.rows import Rows, merge
from tests.support.warehouse_server import Warehouse, empty_tables

NAME = "DAT_ASCII_EURUSD_T_202001.csv"
START = "20200101 170000"


class Killed(BaseException):
    """What a kill looks like from inside, where a real one would take the tests with it."""


def ticks_file(folder: Path, prices: list[str], name: str = NAME) -> Path:
    """A file of ticks, one in each 7 ms; a price is `bid` or `bid,ask`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    lines = [
        f"{START}{n * 7:03d},{price if ',' in price else price + ',1.5'},0"
        for n, price in enumerate(prices)
        if price
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def same_millisecond(folder: Path, prices: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    path.write_text("".join(f"{START}000,{price},1.5,0\n" for price in prices))
    return path


def bids(server: Warehouse) -> list[float]:
    """Of all ticks, in their order."""
    stored = server.client.query("SELECT bid FROM tick FINAL ORDER BY ts_event, seq").result_rows
    return [float(bid) for (bid,) in stored]


def rows_of(prices: list[float], source: str = "sim", first: int = 0) -> Rows:
    ticks = np.zeros(len(prices), TICK)
    ticks["time_msc"] = 1_700_000_000_000 + first + np.arange(len(prices))
    ticks["bid"], ticks["ask"] = prices, 1.5
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000
    return Rows("tick", tick_columns(source, "EURUSD", ticks), len(prices))


def blocks(
    server: Warehouse, writer: Writer, *, may_correct: bool = True, mode: str = "live"
) -> TickBlocks:
    """What the ticks flow writes its blocks through."""
    corrections = Corrections(writer, server.home, SystemClock(), "streams.ticks", restates=False)
    policy = FeedPolicy("run", mode, "somebody", lambda source: may_correct)
    return TickBlocks(writer, corrections, policy)


def stream(server: Warehouse, *parts: Rows, may_correct: bool = False, mode: str = "live") -> None:
    """One block of the ticks flow, as its process writes it."""
    make = partial(blocks, server, may_correct=may_correct, mode=mode)
    writer = BackgroundWriter(server.settings_of("streams.ticks"), make_ticks=make)
    writer.put("tick", merge(list(parts)).columns)
    writer.close()
    assert writer.stored[0] == 1


def finish_as_up_does(server: Warehouse) -> int:
    return finish(server.settings_of(SETUP), server.home, "up")


def nothing_stored(server: Warehouse) -> None:
    """Empty tables, and an audit log of its own."""
    empty_tables(server)
    (server.home / "audit.log").unlink(missing_ok=True)
    audit_log.accept(server.home)
