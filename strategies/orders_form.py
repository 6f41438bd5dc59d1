"""Orders beside targets: what a strategy lets wait at the broker for its price (ADR 0021).

A target is traded at the market at once; an order waits, and may never be filled. A strategy says
of every row what it wants to wait there, by a name; one order of a name waits per feed at a time.
What is asked of execution (place, cancel) follows from rows and market time alone, as an entry
does: whether an order was filled or denied, a strategy does not see.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from core.errors import SettingsError
from strategies.protocol import Float32

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

#: After one is taken back its name rests: the broker says when it is gone, and we do not hear it.
REST_MSC = 5_000
_WHOLE_BP = 10_000.0  # of a price
_LEAST_LIFE_S = 3.0  # execution takes nothing that would work for less than two
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_WORDS = {
    "entry": ("limit", "stop"), "filling": ("fok", "ioc", "return"),
    "expiry": ("gtc", "day", "specified"),
}  # fmt: skip


class Order(NamedTuple):
    """What one row wants to wait at the broker; distances in bp of a price.

    `direction`: 1 buys, -1 sells, 0: nothing new. `away_bp`: from the mid to the order's price, on
    the better side for a limit, on the worse for a stop. `size`: share of the full position, above
    0 to 1. `stop_bp`, `take_profit_bp`: from the order's price; None: as a target's; a take-profit
    of 0: none. Where one of these is NaN or out of its range, the row wants nothing new. `cancel`:
    take back what waits by this name. `one_of`: of the orders that share this word, the first that
    is filled has the others taken back.
    """

    direction: int
    away_bp: float
    confidence: float = 1.0
    size: float = 1.0
    stop_bp: float | None = None
    take_profit_bp: float | None = None
    cancel: bool = False
    name: str = "entry"
    entry: str = "limit"  # "limit", "stop"
    life_s: float = 600.0  # how long it waits, seconds of market time; less than the horizon
    filling: str = "return"  # MT5's: "fok", "ioc", "return"
    expiry: str = "specified"  # what the broker is told: "gtc", "day", "specified"
    follow_bp: float | None = None  # it follows rows whose price is further away; None: it stays
    one_of: str = ""  # "": of no group


class Orders(NamedTuple):
    """Orders of one name, one row each: columns of `Order`, shape (n,); the rest holds for all."""

    direction: npt.NDArray[np.int8]
    away_bp: Float64
    confidence: Float32 | None = None  # 1
    size: Float64 | None = None  # 1
    stop_bp: Float64 | None = None
    take_profit_bp: Float64 | None = None
    cancel: npt.NDArray[np.bool_] | None = None  # nowhere
    name: str = "entry"
    entry: str = "limit"
    life_s: float = 600.0
    filling: str = "return"
    expiry: str = "specified"
    follow_bp: float | None = None
    one_of: str = ""

    def at(self, row: int) -> Order:
        """What a row wants."""
        columns: dict[str, Any] = {name: getattr(self, name) for name in _COLUMNS}
        values = {name: c[row].item() for name, c in columns.items() if c is not None}
        return Order(**values, **{name: getattr(self, name) for name in _SHARED})


_COLUMNS = Orders._fields[:7]
_SHARED = Orders._fields[7:]


class OrdersStrategy(Protocol):
    """A strategy whose orders wait, with or without targets beside them."""

    name: str
    horizon_s: float
    needs_model: bool

    def orders(self, rows: Float32, probabilities: Float32 | None) -> Orders | Sequence[Orders]:
        """Orders of one name, or of several; arguments as `Strategy.targets` has them."""
        ...


class Waiting(NamedTuple):
    """What a feed's last request left of a name: free again from `until_msc` on.

    `direction`: of the order that waits until then, at `price`; 0: none, the name rests.
    """

    direction: int = 0
    until_msc: int = 0
    price: float = 0.0

    @classmethod
    def of(cls, packed: bytes) -> "Waiting":
        """From what `packed` gave; b"": nothing was asked for yet."""
        direction, until_msc, price = np.frombuffer(packed, np.float64) if packed else (0, 0, 0.0)
        return cls(int(direction), int(until_msc), float(price))

    def packed(self) -> bytes:
        """As bytes, for the recovery store."""
        return np.array(self, np.float64).tobytes()


class Request(NamedTuple):
    """What is asked of execution at a row."""

    row: int
    action: str  # "place", "modify", "cancel"
    order: Order
    price: float = 0.0  # at which it waits; 0 for a cancel


def asks_orders(strategy: object) -> bool:
    """Whether a strategy lets orders wait; of a checked plug-in, what it checks."""
    own = getattr(strategy, "own", strategy)
    return any(hasattr(own, method) for method in ("orders", "step_orders", "pair_orders"))


def requests(
    waiting: Waiting, time_msc: Int64, orders: Orders, price: Float64
) -> tuple[Waiting, list[Request]]:
    """What orders of one name come to, in the order of the rows, and what waits after the last.

    Args:
        waiting: what the feed's previous rows left of that name.
        time_msc: market time of each row, ascending, shape (n,).
        orders: checked, of those rows.
        price: at which each row's order would wait, shape (n,).
    """
    requested, life_msc = list[Request](), int(orders.life_s * 1e6) // 1000
    wants = np.where(_sound(orders), orders.direction, 0)
    back = np.zeros(len(wants), bool) if orders.cancel is None else orders.cancel
    rows = {sign: np.flatnonzero(back | (wants == -sign)) for sign in (-1, 1)}
    fresh, row = np.flatnonzero((wants != 0) & ~back), 0
    while True:
        free = int(time_msc.searchsorted(waiting.until_msc))
        ends = _first(rows[waiting.direction], row) if waiting.direction else None
        until = slice(row, free if ends is None else min(free, ends))
        moves = _moves(waiting, wants, price, until, orders.follow_bp)
        if moves is not None:
            requested.append(Request(moves, "modify", orders.at(moves), float(price[moves])))
            until_msc = int(time_msc[moves]) + life_msc
            waiting, row = Waiting(waiting.direction, until_msc, float(price[moves])), moves + 1
            continue
        if ends is not None and ends < free:
            requested.append(Request(ends, "cancel", orders.at(ends)))
            waiting, row = Waiting(0, int(time_msc[ends]) + REST_MSC), ends + 1
            continue
        begins = _first(fresh, max(row, free))
        if begins is None:
            return waiting, requested
        requested.append(Request(begins, "place", orders.at(begins), float(price[begins])))
        until_msc = int(time_msc[begins]) + life_msc
        waiting, row = Waiting(int(wants[begins]), until_msc, float(price[begins])), begins + 1


def _moves(
    waiting: Waiting, wants: Any, price: Float64, part: slice, follow_bp: float | None
) -> int | None:
    """The first of some rows that wants what waits further away than it may be."""
    if follow_bp is None or not waiting.direction or part.start >= part.stop:
        return None
    away = np.abs(price[part] - waiting.price) > follow_bp / _WHOLE_BP * waiting.price
    rows = np.flatnonzero(away & (wants[part] == waiting.direction))
    return int(part.start) + int(rows[0]) if len(rows) else None


def _sound(orders: Orders) -> npt.NDArray[np.bool_]:
    """Rows whose figures are figures; what is missing before warm-up is no order."""
    sound: npt.NDArray[np.bool_] = np.isfinite(orders.away_bp)
    if orders.size is not None:
        sound &= (orders.size > 0.0) & (orders.size <= 1.0)
    if orders.stop_bp is not None:
        sound &= (orders.stop_bp > 0.0) & (orders.stop_bp < _WHOLE_BP)
    if orders.take_profit_bp is not None:
        sound &= (orders.take_profit_bp >= 0.0) & (orders.take_profit_bp < _WHOLE_BP)
    return sound


def _first(rows: npt.NDArray[np.intp], start: int) -> int | None:
    """The first of some rows, ascending, from one on."""
    place = int(rows.searchsorted(start))
    return int(rows[place]) if place < len(rows) else None


def checked(name: str, horizon_s: float, given: Any, count: int) -> tuple[Orders, ...]:
    """What a strategy gave for `count` rows, held to the form.

    Raises:
        SettingsError: it is something else; what, is said.
    """
    several = (given,) if isinstance(given, Orders) else given
    try:
        whole = tuple(_checked(name, horizon_s, one, count) for one in several)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"strategy {name!r}: orders are not Orders: {error}") from error
    if len({one.name for one in whole}) < len(whole):
        raise SettingsError(f"strategy {name!r}: two Orders of one name; give each its own")
    return whole


def _checked(name: str, horizon_s: float, one: Any, count: int) -> Orders:
    if not isinstance(one, Orders):
        raise TypeError(f"{type(one).__name__} given")
    _refuse_unfit(name, horizon_s, one)
    kinds = (np.int8, np.float64, np.float32, np.float64, np.float64, np.float64, np.bool_)
    columns = dict[str, Any]()
    for field, column, kind in zip(_COLUMNS, one, kinds, strict=False):
        if column is None and field not in ("direction", "away_bp"):
            continue
        values = np.asarray(column)
        if values.shape != (count,):
            raise SettingsError(
                f"strategy {name!r}: {count} rows need as many orders; {field} of {one.name!r} has"
                f" shape {values.shape}"
            )
        if field == "direction" and not np.isin(values, (-1, 0, 1)).all():
            raise SettingsError(f"strategy {name!r}: a direction is -1, 0 or 1")
        columns[field] = values.astype(kind)
        if field == "confidence":
            columns[field] = np.nan_to_num(columns[field])
    return one._replace(**columns)


def _refuse_unfit(name: str, horizon_s: float, one: Orders | Order) -> None:
    for what, word in (("name of an order", one.name), ("group of an order", one.one_of or "-")):
        if not isinstance(word, str) or not _NAME.fullmatch(word):
            raise SettingsError(
                f"strategy {name!r}: the {what}, {word!r}, is not 1 to 32 letters, digits, _, ."
                " or -"
            )
    for field, words in _WORDS.items():
        if getattr(one, field) not in words:
            raise SettingsError(
                f"strategy {name!r}: order {one.name!r}: {field} {getattr(one, field)!r} is none"
                f" of {', '.join(words)}"
            )
    if one.follow_bp is not None and not 0 < one.follow_bp < _WHOLE_BP:
        raise SettingsError(
            f"strategy {name!r}: order {one.name!r}: follow_bp {one.follow_bp} is no distance in bp"
        )
    if not _LEAST_LIFE_S <= one.life_s < horizon_s:
        raise SettingsError(
            f"strategy {name!r}: order {one.name!r} waits {one.life_s} s; at least"
            f" {_LEAST_LIFE_S:g} s, and less than the horizon of {horizon_s:g} s, which counts from"
            " the row that asks for it"
        )


def of_row(name: str, horizon_s: float, given: Any) -> tuple[Orders, ...]:
    """Orders that a strategy which remembers gave for one row: an Order, several, or None.

    Raises:
        SettingsError: as `checked`.
    """
    several = (given,) if isinstance(given, Order) else given or ()
    try:
        whole = tuple(_alone(one) for one in several)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"strategy {name!r}: orders are not Order: {error}") from error
    return checked(name, horizon_s, whole, 1)


def _alone(one: Any) -> Orders:
    if not isinstance(one, Order):
        raise TypeError(f"{type(one).__name__} given")
    values: dict[str, Any] = {name: getattr(one, name) for name in _COLUMNS}
    columns: Any = {name: np.array([v]) for name, v in values.items() if v is not None}
    return Orders(**columns, **{name: getattr(one, name) for name in _SHARED})


def prices(mid: Float64, orders: Orders, digits: int) -> Float64:
    """Where each row's order waits: away from the mid, on its side, in the symbol's digits."""
    side = orders.direction if orders.entry == "stop" else -orders.direction
    price: Float64 = np.round(mid * (1.0 + side * orders.away_bp / _WHOLE_BP), digits)
    return price
