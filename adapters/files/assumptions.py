"""Source, symbol and zone of a file: from the options, from what the file says, or refused.

An option wins over a name or a format's description; it never wins over what the rows
themselves say in UTC. What stays ambiguous is refused with the option that settles it.
"""

import re
from pathlib import Path
from typing import NamedTuple

from adapters.files.zone import Zone
from core.errors import InputError
from core.instruments import known

UTC_ZONE = Zone("UTC")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._#+-]{0,63}")


class FileOptions(NamedTuple):
    """What the user says about files; None leaves it to the file."""

    source: str | None = None
    symbol: str | None = None
    tz: str | None = None
    point: float | None = None  # smallest price step, where prices are stored as integers
    accept_cut: bool = False  # take a file that was cut in its last row, without that row


class Claims(NamedTuple):
    """What a file, its name or its format says; None or empty where nothing does."""

    source: str | None
    symbol: str | None
    zone: Zone | None
    why: str  # why that zone, or why none
    zone_fixed: bool = False  # the rows are UTC by what they state: an option cannot change it


class Settled(NamedTuple):
    """What holds."""

    source: str
    symbol: str
    zone: Zone
    zone_text: str  # the zone and why, for people


def settle(path: Path, options: FileOptions, claims: Claims) -> Settled:
    """Source, symbol and zone of a file.

    Raises:
        InputError: something stays ambiguous (the message lists all the options to give), or an
            option is no name, no zone, or contradicts the file.
    """
    source, symbol = options.source or claims.source, options.symbol or claims.symbol
    zone = _zone(path, options, claims)
    if not (source and symbol and zone):
        raise _ambiguous(path, source, symbol, zone, claims.why)
    for name, option in ((source, "--source"), (symbol, "--symbol")):
        if not _NAME.fullmatch(name):
            raise InputError(str(path), f"{name!r} is no usable name: give another {option}")
    why = claims.why if options.tz is None or claims.zone_fixed else "option"
    return Settled(source, symbol, zone, f"{zone} ({why})")


def _zone(path: Path, options: FileOptions, claims: Claims) -> Zone | None:
    if options.tz is None:
        return claims.zone
    try:
        zone = Zone(options.tz)
    except ValueError as error:
        raise InputError(str(path), f"--tz {error}") from error
    if claims.zone_fixed and (zone.shift_msc or zone.rules):
        raise InputError(str(path), f"its times are UTC ({claims.why}), not {zone}: leave out --tz")
    return zone


def _ambiguous(
    path: Path, source: str | None, symbol: str | None, zone: Zone | None, why: str
) -> InputError:
    missing = {"--source": source, "--symbol": symbol, "--tz": zone}
    options = [option for option, value in missing.items() if not value]
    meaning = {
        "--source": "which broker or feed it is from",
        "--symbol": "which symbol it is of",
        "--tz": f"its time zone ({why})",
    }
    unclear = ", ".join(meaning[option] for option in options)
    return InputError(str(path), f"does not say {unclear}: give {' '.join(options)}")


def known_symbol(text: str) -> str | None:
    """An instrument's symbol if `text` begins with one (`usdjpy-ticks`), in capitals."""
    match = re.match(r"[A-Za-z]{6,7}(?![A-Za-z])", text)
    name = match[0].upper() if match else ""
    return name if name in known() else None
