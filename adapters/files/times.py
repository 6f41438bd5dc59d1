"""Fixed-width local times as text to milliseconds, a column at a time."""

from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.files.base import Integers
from adapters.files.delimited import Bytes

Mask = npt.NDArray[np.bool_]
_UNITS = "YmdHMSfzw"


class Layout:
    """A layout of date and time, one letter per digit.

    `Y` year, `m` month, `d` day, `H` hour, `M` minute, `S` second, `f` fraction of a second
    (any number, cut to milliseconds), `+` the sign of a zone offset with `z` its hours and `w`
    its minutes, `_` a space or `T`, `~` the letter `M`; every other character stands for itself.
    Without a year, the time is that since midnight.
    """

    def __init__(self, layout: str) -> None:
        self.width = len(layout)
        self.has_offset = "+z" in layout or layout.endswith("Z")
        self._digits = {u: [i for i, c in enumerate(layout) if c == u] for u in _UNITS}
        self._fixed = [(i, _accepted(c)) for i, c in enumerate(layout) if c not in _UNITS]
        self._sign = layout.find("+")

    def read(self, column: Bytes) -> tuple[Integers, Mask]:
        """Milliseconds since the Unix epoch as if the text were UTC, and which are valid times.

        `column` has shape (width, n). An offset in the text is taken off.
        """
        valid = np.ones(column.shape[1], np.bool_)
        for i, accepted in self._fixed:
            valid &= reduce(np.logical_or, [column[i] == ord(c) for c in accepted])
        part = {unit: _number(column, at, valid) for unit, at in self._digits.items()}
        for unit, top in (("H", 23), ("M", 59), ("S", 59), ("z", 15), ("w", 59)):
            valid &= part[unit] <= top
        days = _days(part["Y"], part["m"], part["d"], valid) if self._digits["Y"] else np.int64(0)
        minutes = (days * 24 + part["H"]) * 60 + part["M"]
        if self._sign >= 0:
            offset = part["z"] * 60 + part["w"]
            minutes -= np.where(column[self._sign] == ord("-"), -offset, offset)
        msc: Integers = (minutes * 60 + part["S"]) * 1000 + self._milliseconds(part["f"])
        return msc, valid

    def _milliseconds(self, fraction: Integers) -> Integers:
        digits = len(self._digits["f"])
        if digits <= 3:
            return fraction * np.int64(10 ** (3 - digits))
        return fraction // np.int64(10 ** (digits - 3))


class ColumnTimes(NamedTuple):
    """Times of one column; `msc` is UTC where `has_offset`, else local."""

    msc: Integers
    valid: Mask
    has_offset: Mask


def read_times(column: Bytes, layouts: tuple[Layout, ...]) -> ColumnTimes:
    """Times of a column in which each text has one of some layouts.

    Its length says which may be: `….225+00:00` and nine digits of a fraction are equally long, so
    a text that one layout does not read is left to the next.
    """
    lengths = np.count_nonzero(column, axis=0)
    msc = np.zeros(len(lengths), np.int64)
    valid, has_offset = np.zeros((2, len(lengths)), np.bool_)
    for layout in layouts:
        fits = (lengths == layout.width) & ~valid
        if not fits.any():
            continue
        whole = slice(None) if fits.all() else fits
        read, good = layout.read(column[: layout.width, whole])
        msc[whole], valid[whole] = np.where(good, read, 0), good
        has_offset[whole] = good & layout.has_offset
    return ColumnTimes(msc, valid, has_offset)


def read_epoch(column: Bytes, microseconds: bool = False) -> ColumnTimes:
    """Unix milliseconds as digits; with `microseconds`, those too, which have 16 digits."""
    lengths = np.count_nonzero(column, axis=0)
    msc, valid = np.zeros(len(lengths), np.int64), (lengths > 0) & (lengths <= 18)
    for width in np.unique(lengths[valid]).tolist():
        of_width = lengths == width
        good = np.ones(np.count_nonzero(of_width), np.bool_)
        value = _number(column[:width, of_width], list(range(width)), good)
        msc[of_width] = value // 1000 if microseconds and width == 16 else value
        valid[of_width] &= good
    return ColumnTimes(msc, valid, valid)


def _accepted(character: str) -> str:
    return {"+": "+-", "_": " T", "~": "M"}.get(character, character)


def _number(column: Bytes, at: list[int], valid: Mask) -> Integers:
    value = np.zeros(column.shape[1], np.int64)
    for i in at:
        digit = column[i] - np.uint8(48)
        valid &= digit < 10
        value = value * 10 + digit
    return value


def _days(year: Integers, month: Integers, day: Integers, valid: Mask) -> Integers:
    """Days since the Unix epoch; clears `valid` where there is no such date."""
    valid &= (month >= 1) & (month <= 12) & (year >= 1)
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0)
    first, following = _first_days(months), _first_days(months + 1)
    valid &= (day >= 1) & (day <= following - first)
    return first + day - 1


def _first_days(months: Integers) -> Integers:
    days: Integers = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    return days
