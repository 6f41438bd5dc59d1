"""What a journal says of orders long settled, in sorted columns on disk: found, never loaded.

After ten million events there are millions of ids that decide one thing only: whether a message
was seen before. Loading them would take longer than a start may; a search in a mapped column takes
microseconds, and only for an id that memory does not have.
"""

import sys
from bisect import bisect_left
from typing import Any, NamedTuple

_ORDER, _SIGNAL = 15, 16  # bytes of an id
RECEIVED, TERMS = 1, 2  # what is known of a signal

#: Column -> its type code, as `memoryview.cast` and NumPy call it. Keys are in two parts, sorted.
COLUMNS = {
    "order_high": "Q", "order_low": "Q", "order_kind": "B", "order_count": "I",
    "signal_high": "Q", "signal_low": "Q", "signal_known": "B", "signal_horizon": "q",
    "signal_profit": "d", "signal_trail": "d",
    "deal": "Q", "magic": "Q", "magic_high": "Q", "magic_low": "Q",
}  # fmt: skip
TABLES = {"order": ("high", "low"), "signal": ("high", "low"), "deal": (), "magic": ()}


class Ended(NamedTuple):
    """Where an order of the past stands."""

    kind: int  # its number among the kinds
    events: int  # how many it has


class Promised(NamedTuple):
    """What is known of a signal of the past."""

    known: int  # RECEIVED, TERMS or both
    horizon_us: int
    take_profit: float
    trail: float


def order_key(name: str) -> tuple[int, int] | None:
    """An order's id as it stands in the columns; None of an id that is none of ours."""
    return _key(name, _ORDER)


def signal_key(name: str) -> tuple[int, int] | None:
    """Likewise of a signal."""
    return _key(name, _SIGNAL)


def _key(name: str, size: int) -> tuple[int, int] | None:
    if len(name) != 2 * size:
        return None
    try:
        content = bytes.fromhex(name)
    except ValueError:
        return None
    if content.hex() != name:
        return None
    return int.from_bytes(content[:8], "big"), int.from_bytes(content[8:], "big")


class Past:
    """Finds by id. `content`: a snapshot's bytes, `columns`: where each begins, and its rows."""

    def __init__(self, content: bytes, columns: dict[str, tuple[int, int]]) -> None:
        if sys.byteorder != "little":  # pragma: no cover
            raise NotImplementedError("snapshots are little endian")
        self._of: dict[str, Any] = {
            name: memoryview(content)[begin : begin + rows * _SIZES[code]].cast(code)  # type: ignore[call-overload]
            for name, code in COLUMNS.items()
            for begin, rows in [columns[name]]
        }

    def column(self, name: str) -> Any:
        """A whole column, for who makes the next snapshot."""
        return self._of[name]

    def order(self, name: str) -> Ended | None:
        """Where an order stands."""
        row = self._row("order", order_key(name))
        if row is None:
            return None
        return Ended(self._of["order_kind"][row], self._of["order_count"][row])

    def signal(self, name: str) -> Promised | None:
        """What is known of a signal."""
        row = self._row("signal", signal_key(name))
        if row is None:
            return None
        of = self._of
        return Promised(
            of["signal_known"][row], of["signal_horizon"][row], of["signal_profit"][row],
            of["signal_trail"][row],
        )  # fmt: skip

    def has_deal(self, ticket: int) -> bool:
        """Whether a deal is counted."""
        return _place(self._of["deal"], ticket) is not None

    def magic(self, number: int) -> str | None:
        """The order whose deals carry a number: the newest of them."""
        row = _place(self._of["magic"], number)
        if row is None:
            return None
        high, low = self._of["magic_high"][row], self._of["magic_low"][row]
        return f"{high:016x}{low:014x}"

    def _row(self, table: str, key: tuple[int, int] | None) -> int | None:
        if key is None:
            return None
        highs, lows = self._of[f"{table}_high"], self._of[f"{table}_low"]
        row = _place(highs, key[0])
        while row is not None and row < len(highs) and highs[row] == key[0]:
            if lows[row] == key[1]:
                return row
            row += 1
        return None


_SIZES = {"Q": 8, "q": 8, "d": 8, "I": 4, "B": 1}


def _place(column: Any, value: int) -> int | None:
    """The first row of a sorted column that holds a value."""
    row = bisect_left(column, value)
    return row if row < len(column) and column[row] == value else None
