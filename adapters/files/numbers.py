"""Decimal text to float64, a column at a time, with the same bits as Python's float().

A decimal of at most 15 digits is an integer divided by a power of ten, both exact in float64,
so one division rounds correctly. Anything else (signs, exponents, nan) takes the slow way.
"""

import re

import numpy as np
import numpy.typing as npt

from adapters.files.base import Floats
from adapters.files.delimited import Bytes

_NUMBER = re.compile(rb"[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|inf(inity)?)", re.IGNORECASE)
_POWERS = 10.0 ** np.arange(16)


def decimals(column: Bytes) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Numbers of a column of shape (width, n), and which of them are numbers at all."""
    count = column.shape[1]
    mantissa = np.zeros(count, np.int64)
    digits, decimal_digits = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
    plain, after_dot = np.ones(count, np.bool_), np.zeros(count, np.bool_)
    for character in column:
        digit = character - np.uint8(48)  # wraps, so that all but digits become large
        is_digit = digit < 10
        np.copyto(mantissa, mantissa * 10 + digit, where=is_digit)
        digits += is_digit
        decimal_digits += is_digit & after_dot
        dot = character == 46
        plain &= is_digit | (dot & ~after_dot) | (character == 0)
        after_dot |= dot
    plain &= (digits > 0) & (digits <= 15)
    values = mantissa / _POWERS[np.minimum(decimal_digits, 15)]
    return values, plain | _slowly(column, values, ~plain)


def _slowly(column: Bytes, values: Floats, odd: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Fill `values` where `odd`; returns which of those are numbers."""
    read = np.zeros(len(values), np.bool_)
    for i in np.flatnonzero(odd).tolist():
        text = column[:, i].tobytes().rstrip(b"\0")
        if _NUMBER.fullmatch(text):
            values[i], read[i] = float(text), True
    return read
