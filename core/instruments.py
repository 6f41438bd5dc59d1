"""Instruments: dated reference data, and when each trades.

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
    book: dict[str, list[Instrument]] = {}
    for entry in sorted(entries, key=lambda e: e.valid_from):
        book.setdefault(entry.symbol, []).append(entry)
    return book


@lru_cache(maxsize=1)
def shipped() -> dict[str, list[Instrument]]:
    """The reference data that ships with the product."""
    return load()


def instrument(
    symbol: str, at_us: int, book: dict[str, list[Instrument]] | None = None
) -> Instrument | None:
    """The entry that holds for a symbol at a time; None when the symbol is unknown."""
    number = at_us // 86_400_000_000
    return _shipped_on(symbol, number) if book is None else _on(book, symbol, number)


@lru_cache(maxsize=4096)
def _shipped_on(symbol: str, day: int) -> Instrument | None:
    return _on(shipped(), symbol, day)


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
