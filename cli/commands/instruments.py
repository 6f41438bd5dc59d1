"""`tickhouse instruments`: what is known of instruments, and some of one's own.

Own ones stand in the home's `instruments.toml`, dated as those that ship are. `add` checks a file
and takes its entries; `fetch` writes what a terminal says of a symbol, with what it cannot say.
"""

import argparse
import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, get_args

import msgspec
from rich.table import Table

from adapters.bus import select
from adapters.mt5.connect import terminal
from cli.commands.printed import output
from core import durable, instruments
from core.errors import InputError, SettingsError, UnavailableError
from core.instruments import Instrument
from core.settings import Settings

_SESSIONS = get_args(Instrument.__annotations__["session"])
_LETTERS = 6  # of a pair of currencies
_HEADER = "# Instruments of this home: tickhouse instruments. They win over those that ship.\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do; without a word, the list."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="all that are known, each with its newest entry")
    add = actions.add_parser("add", help="take the entries of a file written as core/ has it")
    add.add_argument("file", type=Path, metavar="FILE")
    fetch = actions.add_parser("fetch", help="describe symbols as the terminal does")
    fetch.add_argument("symbols", nargs="+", metavar="SYMBOL")
    fetch.add_argument("--session", required=True, choices=_SESSIONS, help="when it trades")
    fetch.add_argument(
        "--commission", required=True, type=float, help="account currency per lot and side"
    )
    fetch.add_argument(
        "--margin-rate", required=True, type=float, help="share of notional, 0.05 for 1:20"
    )
    fetch.add_argument(
        "--from", dest="valid_from", type=date.fromisoformat, default=date(2000, 1, 1),
        help="UTC date from which it holds; default %(default)s",
    )  # fmt: skip


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it.

    Raises:
        InputError: the file describes nothing, or not as it should.
        UnavailableError: the terminal does not answer, or does not know a symbol.
    """
    path = settings.home_path / instruments.OWN_FILE
    if namespace.action == "add":
        _take(path, _of_file(namespace.file))
    elif namespace.action == "fetch":
        _take(path, _of_terminal(namespace, settings))
    instruments.use_home(settings.home_path)
    _print(path)
    return 0


def _of_file(path: Path) -> list[Instrument]:
    try:
        return [entry for entries in instruments.load(path).values() for entry in entries]
    except (OSError, SettingsError) as error:
        raise InputError(str(path), f"describes no instruments: {error}") from error


def _of_terminal(namespace: argparse.Namespace, settings: Settings) -> list[Instrument]:
    connected = terminal(
        settings.terminal,
        settings.home_path,
        partial(select.door, settings.bus),
        role="collector",
    )
    try:
        return [
            _described(symbol, connected.symbol_info(symbol), namespace)
            for symbol in namespace.symbols
        ]
    finally:
        connected.shutdown()


def _described(symbol: str, info: Any, namespace: argparse.Namespace) -> Instrument:
    if info is None:
        raise UnavailableError(f"the terminal knows no {symbol}: see its Market Watch")
    return Instrument(
        symbol=symbol,
        valid_from=namespace.valid_from,
        description=info.description or symbol,
        digits=info.digits,
        contract_size=info.trade_contract_size,
        base=info.currency_base or symbol[: _LETTERS // 2],
        quote=info.currency_profit,
        volume_min=info.volume_min,
        volume_max=info.volume_max,
        volume_step=info.volume_step,
        margin_rate=namespace.margin_rate,
        commission=namespace.commission,
        swap_long=info.swap_long,
        swap_short=info.swap_short,
        session=namespace.session,
    )


def _take(path: Path, entries: Iterable[Instrument]) -> None:
    """Into the home's file, each in the place of one of the same symbol and date."""
    before = instruments.load(path) if path.is_file() else {}
    kept = {(e.symbol, e.valid_from): e for own in before.values() for e in own}
    kept |= {(e.symbol, e.valid_from): e for e in entries}
    text = _HEADER + "".join(f"\n[[instrument]]\n{_toml(kept[key])}" for key in sorted(kept))
    msgspec.convert(tomllib.loads(text)["instrument"], list[Instrument])
    durable.write(path, text.encode())


def _toml(entry: Instrument) -> str:
    return "".join(
        f"{field} = {_value(getattr(entry, field))}\n" for field in entry.__struct_fields__
    )


def _value(value: object) -> str:
    return msgspec.json.encode(value).decode() if isinstance(value, str) else str(value)


def _print(path: Path) -> None:
    own = instruments.load(path) if path.is_file() else {}
    shown = Table(title="Instruments", caption=f"own: {path}")
    for name in ("symbol", "description", "session", "described by"):
        shown.add_column(name, no_wrap=name != "description")
    for name in ("digits", "contract", "lots", "margin", "commission", "valid from"):
        shown.add_column(name, justify="right", no_wrap=True)
    today = datetime.now(UTC).date()
    for symbol, entries in sorted(instruments.known().items()):
        entry = [e for e in entries if e.valid_from <= today or e is entries[0]][-1]
        shown.add_row(
            symbol, entry.description, entry.session, "this home" if symbol in own else "tickhouse",
            str(entry.digits), f"{entry.contract_size:g}",
            f"{entry.volume_min:g} to {entry.volume_max:g}", f"{entry.margin_rate:.2%}",
            f"{entry.commission:g}", str(entry.valid_from),
        )  # fmt: skip
    output.console().print(shown)
