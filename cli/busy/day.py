"""The day that `tickhouse demo --busy` makes up: whose it is, which hours, which feeds, which dice.

Everything else follows from it, so the same day in the same mode gives the same rows. What is made
up has an account of its own name and a home of its own: nobody takes it for trading.
"""

import zlib
from typing import Final, NamedTuple

import numpy as np

from core import instruments
from core.errors import SettingsError
from core.instruments import Instrument
from core.sections import RunSettings

#: Not the simulated terminal's: an `up` on the same home then draws its own market beside this one.
SOURCE: Final = "busy"
ACCOUNT: Final = "busy"
SECOND: Final = 1_000_000  # microseconds
MINUTE: Final = 60 * SECOND
HOURS: Final = 24
_SEED: Final = 19
#: A price to begin at, and its spread in points.
_BEGINS = {"EURUSD": (1.0840, 8.0), "XAUUSD": (2_410.0, 22.0), "BTCUSD": (61_300.0, 1_400.0)}
SYMBOLS = tuple(_BEGINS)


class Day(NamedTuple):
    """A made-up day. Times are microseconds since the Unix epoch, UTC."""

    run: RunSettings
    end_us: int

    @property
    def start_us(self) -> int:
        """Its first moment."""
        return self.end_us - HOURS * 60 * MINUTE

    def dice(self, of: str) -> np.random.Generator:
        """Random numbers for one purpose; other purposes do not move them."""
        return np.random.default_rng([_SEED, zlib.crc32(of.encode())])

    def at(self, share: float) -> int:
        """A moment of the day: 0 is its start, 1 its end."""
        return self.start_us + int(share * (self.end_us - self.start_us))


def busy_day(mode: str, end_us: int) -> Day:
    """The day that ends with the minute of `end_us`, in a mode.

    Raises:
        SettingsError: there is no such mode.
    """
    if mode not in ("live", "shadow", "demo", "replay", "backtest"):
        raise SettingsError(f"no mode {mode!r}: live, shadow, demo, replay or backtest")
    end = end_us // MINUTE * MINUTE
    name = f"busy-{mode}"
    return Day(RunSettings(name, mode, ACCOUNT, "model", f"{name}-{end // SECOND}"), end)  # type: ignore[arg-type]


def known(symbol: str, at_us: int) -> Instrument:
    """The instrument as it was then."""
    entry = instruments.instrument(symbol, at_us)
    assert entry is not None, symbol
    return entry


def begins(symbol: str, at_us: int) -> tuple[float, float]:
    """A feed's first mid and its usual spread, both in price."""
    mid, points = _BEGINS[symbol]
    return mid, points * known(symbol, at_us).point
