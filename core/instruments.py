"""Instruments: dated reference data, and when each trades.

Those that ship, and those of the home in `instruments.toml`, which win where both describe a
symbol from the same date on (`tickhouse instruments`).

`forex` trades from Sunday 17:00 to Friday 17:00 New York time; `metal` the same with a daily
pause from 17:00 to 18:00; `always` never closes. A trading day ends at 17:00 New York.
"""

import tomllib
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from core.errors import SettingsError

NEW_YORK = ZoneInfo("America/New_York")


class Instrument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One instrument from a date on. Money per lot is in account currency."""

    symbol: str
    valid_from: date
    description: str
    digits: int
    contract_size: float
    base: str
    quote: str
    volume_min: float  # lots
    volume_max: float
    volume_step: float
    margin_rate: float  # share of notional
    commission: float  # account currency per lot and side
    swap_long: float  # points per lot and night
    swap_short: float
    session: Literal["forex", "metal", "always"]

    @property
    def point(self) -> float:
        """The smallest price step."""
        return 10.0**-self.digits


def load(path: Path | None = None) -> dict[str, list[Instrument]]:
    """Instruments by symbol, each with its entries in date order.

    Raises:
        SettingsError: the file does not fit the description above.
    """
    text = (
        path.read_text()
        if path
        else resources.files("core").joinpath("instruments.toml").read_text()
    )
    try:
        entries = msgspec.convert(tomllib.loads(text)["instrument"], list[Instrument])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, KeyError) as error:
        raise SettingsError(f"{path or 'instruments.toml'}: {error}") from error
    for entry in entries:
        if wrong := _impossible(entry):
            raise SettingsError(f"{path or 'instruments.toml'}: {entry.symbol}: {wrong}")
    book: dict[str, list[Instrument]] = {}
    for entry in sorted(entries, key=lambda e: e.valid_from):
        book.setdefault(entry.symbol, []).append(entry)
    return book


def _impossible(entry: Instrument) -> str:
    """What no instrument can have; empty when all is well."""
    if not 0 <= entry.digits <= 8:
        return f"digits = {entry.digits} is not from 0 to 8"
    if not 0 < entry.volume_step <= entry.volume_min <= entry.volume_max:
        return "0 < volume_step <= volume_min <= volume_max does not hold"
    if not (entry.contract_size > 0 and 0 < entry.margin_rate <= 1 and entry.commission >= 0):
        return "contract_size > 0, 0 < margin_rate <= 1 and commission >= 0 have to hold"
    if not (entry.symbol.strip() and entry.quote.strip()):
        return "symbol and quote are needed"
    return ""


OWN_FILE = "instruments.toml"  # in a home
_own: Path | None = None  # the file of this process's home, set by `use_home`
_never_closes = False  # so is this


def use_home(home: Path, *, never_closes: bool = False) -> None:
    """From now on this process knows the home's instruments too.

    never_closes: they trade around the clock, as the simulated market of `tickhouse up` does.
    """
    global _own, _never_closes
    _own, _never_closes = home / OWN_FILE, never_closes
    known.cache_clear()
    _known_on.cache_clear()


@lru_cache(maxsize=1)
def shipped() -> dict[str, list[Instrument]]:
    """The reference data that ships with the product."""
    return load()


@lru_cache(maxsize=1)
def known() -> dict[str, list[Instrument]]:
    """What ships and what the home describes.

    Raises:
        SettingsError: see `load`.
    """
    own = load(_own) if _own and _own.is_file() else {}
    book = {**shipped(), **{symbol: _over(symbol, entries) for symbol, entries in own.items()}}
    return {symbol: _always(entries) for symbol, entries in book.items()} if _never_closes else book


def _always(entries: list[Instrument]) -> list[Instrument]:
    return [msgspec.structs.replace(entry, session="always") for entry in entries]


def _over(symbol: str, own: list[Instrument]) -> list[Instrument]:
    by_date = {entry.valid_from: entry for entry in (*shipped().get(symbol, ()), *own)}
    return [by_date[day] for day in sorted(by_date)]


def instrument(
    symbol: str, at_us: int, book: dict[str, list[Instrument]] | None = None
) -> Instrument | None:
    """The entry that holds for a symbol at a time; None when the symbol is unknown."""
    number = at_us // 86_400_000_000
    return _known_on(symbol, number) if book is None else _on(book, symbol, number)


@lru_cache(maxsize=4096)
def _known_on(symbol: str, day: int) -> Instrument | None:
    return _on(known(), symbol, day)


def _on(book: dict[str, list[Instrument]], symbol: str, number: int) -> Instrument | None:
    day = datetime.fromtimestamp(number * 86_400, UTC).date()
    entries = [e for e in book.get(symbol, ()) if e.valid_from <= day]
    return entries[-1] if entries else None


def is_open(session: str, at_us: int) -> bool:
    """Whether a session trades at a time (microseconds, UTC)."""
    return session == "always" or _open_hour(session, at_us // 3_600_000_000)


@lru_cache(maxsize=4096)
def _open_hour(session: str, hour: int) -> bool:
    # New York's offset is whole hours, so a session is open or closed for whole UTC hours.
    local = datetime.fromtimestamp(hour * 3600, NEW_YORK)
    weekday, clock = local.weekday(), local.hour
    if session == "metal" and clock == 17:
        return False
    if weekday == 5:
        return False
    if weekday == 6:
        return clock >= 17
    return not (weekday == 4 and clock >= 17)


def trading_day(at_us: int) -> date:
    """The trading day a time belongs to: it ends at 17:00 New York."""
    local = datetime.fromtimestamp((at_us + 7 * 3_600_000_000) / 1e6, NEW_YORK)
    return local.date()
