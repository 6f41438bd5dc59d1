"""Time zones of recorded files: local milliseconds to UTC.

`--tz` takes UTC, EST (fixed, without summer time), `+02:00`, an IANA name, and an IANA name plus
hours such as `America/New_York+07:00`: the clock of many MT5 servers, which keeps the New York
close at midnight and changes with New York's summer time.

When clocks go back an hour of local time happens twice. A file is in order of time, so such
times belong to the first pass until the file itself jumps back, then to the second. Times that
were skipped when clocks went forward cannot be; their rows are refused.
"""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from adapters.files.base import Integers

Mask = npt.NDArray[np.bool_]
_OFFSET = re.compile(r"(?P<name>.*?)(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?")
_STEP_MSC = 15 * 60_000  # zones change on whole quarters of an hour (since 1972)
_FIXED = {"UTC": 0, "GMT": 0, "Z": 0, "EST": -5 * 3_600_000}
_EPOCH = datetime(1970, 1, 1)


class Zone:
    """A zone as the user or a format's description names it. Immutable."""

    def __init__(self, name: str) -> None:
        """Parse a name.

        Raises:
            ValueError: no such zone; the text says what is accepted.
        """
        self.name = name
        self.shift_msc = 0
        base, known = name, _known(name)
        match = _OFFSET.fullmatch(name)
        if not known and match:  # a whole name comes first: Etc/GMT-3 is one
            self.shift_msc, base = _offset_msc(match), match["name"] or "UTC"
            known = _known(base)
        if not known:
            raise ValueError(
                f"{name!r} is no time zone; use UTC, EST (always UTC-5), an offset such as +02:00, "
                "a name such as Europe/Athens, or a name and hours (America/New_York+07:00)"
            )
        self.shift_msc += _FIXED.get(base.upper(), 0)
        self.rules = None if base.upper() in _FIXED else ZoneInfo(base)

    def __str__(self) -> str:
        return self.name


class LocalClock:
    """Converts one file's times in file order; remembers where it is in a repeated hour."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._previous: int | None = None  # local time of the last row
        self._second_pass = False

    def read(self, msc: Integers, local: Mask) -> tuple[Integers, Mask]:
        """UTC milliseconds of rows of which some, marked in `local`, are local times.

        Also tells which of those never existed. All shapes (n,).
        """
        skipped = np.zeros(len(msc), np.bool_)
        utc = msc.copy()
        utc[local], exists = self.to_utc(msc[local])
        skipped[local] = ~exists
        return utc, skipped

    def to_utc(self, local_msc: Integers) -> tuple[Integers, Mask]:
        """UTC milliseconds of the next rows and which of them existed, shapes (n,)."""
        local = local_msc - self._zone.shift_msc
        if self._zone.rules is None or not len(local):
            return local, np.ones(len(local), np.bool_)
        first, second, exists = _both_passes(local, self._zone.rules)
        return local - np.where(self._passes(local, first != second, exists), second, first), exists

    def _passes(self, local: Integers, differ: Mask, exists: Mask) -> Mask:
        """Whether each row lies in the second pass of a repeated time."""
        repeated = differ & exists
        second = np.zeros(len(local), np.bool_)
        before = np.concatenate([[local[0] if self._previous is None else self._previous], local])
        jumps = (np.diff(before) <= -_STEP_MSC) & repeated
        if repeated.any():
            # The second pass lasts until the file leaves the repeated hour.
            index = np.arange(len(local))
            jumped = np.maximum.accumulate(np.where(jumps, index, -1))
            left = np.maximum.accumulate(np.where(~repeated, index, -1))
            second = repeated & ((jumped > left) | ((left < 0) & self._second_pass))
        self._previous, self._second_pass = int(local[-1]), bool(second[-1])
        return second


def _both_passes(local: Integers, rules: ZoneInfo) -> tuple[Integers, Integers, Mask]:
    """UTC offsets in ms of the first and second pass, and whether a local time existed."""
    steps, where = np.unique(local // _STEP_MSC, return_inverse=True)
    table = np.array([_offsets(int(step), rules) for step in steps], np.int64)
    first, second = table[where, 0], table[where, 1]
    return first, second, first >= second  # clocks going forward: the later offset is larger


def _offsets(step: int, rules: ZoneInfo) -> tuple[int, int]:
    local = _EPOCH + timedelta(milliseconds=step * _STEP_MSC)
    offsets = [local.replace(tzinfo=rules, fold=fold).utcoffset() for fold in (0, 1)]
    first, second = (round((o or timedelta()).total_seconds() * 1000) for o in offsets)
    return first, second


def _offset_msc(match: re.Match[str]) -> int:
    minutes = int(match["hours"]) * 60 + int(match["minutes"] or 0)
    if minutes > 15 * 60:
        raise ValueError(f"{match[0]!r}: an offset is at most 15 hours")
    return (-1 if match["sign"] == "-" else 1) * minutes * 60_000


def _known(name: str) -> bool:
    if name.upper() in _FIXED:
        return True
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
