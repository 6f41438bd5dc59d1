"""`tickhouse ticks`: what stored ticks were before, and taking back one that a vendor withdrew."""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from rich.table import Table

from adapters.clickhouse import client, stored_ticks
from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.correction_rows import Correction, Said
from adapters.clickhouse.stored_ticks import Span
from adapters.clickhouse.writer import Writer
from cli.commands.printed import output
from cli.ingest.changes import author, corrections_of
from cli.ingest.warehouse import warehouse
from cli.times import BEGINNING, END, time_us
from core import crashpoint, tick_versions
from core.errors import SettingsError
from core.settings import Settings
from core.tick_versions import KnownArray

_HISTORY = Path(__file__).with_name("tick_history.sql").read_text()
_LATEST_US = 4_102_444_800_000_000
_WHAT = {"correction": "corrected", "withdrawal": "withdrawn"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and of which feed."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    withdraw = actions.add_parser("withdraw", help="take back a tick that the vendor withdrew")
    withdraw.add_argument("source", metavar="SOURCE")
    withdraw.add_argument("symbol", metavar="SYMBOL")
    withdraw.add_argument("time_msc", type=int, metavar="TIME_MSC", help="Unix milliseconds, UTC")
    withdraw.add_argument("--seq", type=int, help="which of several ticks of that millisecond")
    withdraw.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")
    history = actions.add_parser("history", help="what was corrected or withdrawn")
    history.add_argument("source", metavar="SOURCE")
    history.add_argument("symbol", metavar="SYMBOL")
    history.add_argument("--from", dest="first", metavar="TIME", help="market time, UTC")
    history.add_argument("--to", dest="end", metavar="TIME", help="not included")
    for action in (withdraw, history):
        action.add_argument("--json", action="store_true", help="print one JSON object")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it.

    Raises:
        SettingsError: there is no such tick, or there are several.
        UnavailableError, WarehouseError: see cli.ingest.warehouse.warehouse.
    """
    crashpoint.arm_for("withdraw", settings.chaos.crash_at, settings.home_path / "run")
    if namespace.action == "withdraw":
        name = _withdraw(namespace, settings)
        text = f"Withdrawn; bars of its hour are made again. Correction {name}"
        print(json.dumps({"correction_id": name, "withdrawn": 1}) if namespace.json else text)
        return 0
    with warehouse(settings) as where:
        versions = _history(client.connect(where), namespace)
    if namespace.json:
        print(json.dumps({"versions": versions}, default=str))
    else:
        _print(versions)
    return 0


def _withdraw(namespace: argparse.Namespace, settings: Settings) -> str:
    feed = (namespace.source, namespace.symbol)
    with warehouse(settings) as where, Writer(where) as writer:
        corrections = corrections_of(writer, settings, "withdraw")
        with corrections.alone():
            corrections.finish()
            before = _chosen(writer, namespace)
            after = tick_versions.withdrawn(before, corrections.known_us(*feed))
            said = Said("tickhouse ticks withdraw", author(settings), namespace.reason)
            firsts = tick_versions.firsts(before)
            return corrections.commit(Correction(*feed, said, firsts, after))


def _chosen(writer: Writer, namespace: argparse.Namespace) -> KnownArray:
    msc = namespace.time_msc
    stored = stored_ticks.all_of(writer, Span(namespace.source, namespace.symbol, msc, msc)).ticks
    ticks: KnownArray = stored[stored["withdrawn"] == 0]
    if namespace.seq is not None:
        ticks = ticks[ticks["seq"] == namespace.seq]
    if len(ticks) == 1:
        return ticks
    there = ", ".join(
        f"--seq {tick['seq']} (bid {tick_versions.price(tick['bid'])})"
        for tick in stored[stored["withdrawn"] == 0]
    )
    feed = f"{namespace.symbol} of {namespace.source}"
    raise SettingsError(
        f"{feed} has {len(ticks) or 'no'} such ticks at {msc}"
        + (f": say which: {there}" if there else "; tickhouse sql shows what is stored")
    )


def _history(connection: Client, namespace: argparse.Namespace) -> list[dict[str, Any]]:
    given = {
        "source": namespace.source,
        "symbol": namespace.symbol,
        "first": time_us(namespace.first, BEGINNING),
        "end": min(time_us(namespace.end, END), _LATEST_US),
    }
    with errors_translated():
        return [dict(row) for row in connection.query(_HISTORY, given).named_results()]


def _print(versions: list[dict[str, Any]]) -> None:
    shown, traded = Table(title="Changed ticks"), _traded(versions)
    for name in ("time (UTC)", "seq", "version", "what", "bid", "ask", *traded, "known since"):
        shown.add_column(name, no_wrap=True)
    for name in ("origin", "by", "reason"):
        shown.add_column(name, overflow="fold")
    for row in versions:
        values = [_change(row, name) for name in ("bid", "ask", *traded)]
        shown.add_row(
            f"{row['ts_event']:%Y-%m-%d %H:%M:%S.%f}"[:-3], str(row["seq"]), str(row["version"]),
            _WHAT[row["kind"]], *values, _moment(row["ts_known"]),
            row["origin"], row["author"], row["reason"],
        )  # fmt: skip
    output.console().print(shown if versions else "None was ever corrected or withdrawn.")


def _traded(versions: list[dict[str, Any]]) -> list[str]:
    """Of what only some sources have, what these say."""
    return [
        name
        for name in ("last", "volume")
        if any(float(row[f"{when}_{name}"]) for row in versions for when in ("old", "new"))
    ]


def _change(row: dict[str, Any], name: str) -> str:
    old, new = row[f"old_{name}"], row[f"new_{name}"]
    return f"{old}" if old == new else f"{old} → {new}"


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC) if time.tzinfo else time:%Y-%m-%d %H:%M:%S}"
