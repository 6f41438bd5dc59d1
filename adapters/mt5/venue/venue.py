"""What a trading venue takes and gives, in our words; MetaTrader 5's words end at this door."""

from typing import Literal

import msgspec

Side = Literal["buy", "sell"]


class VenueOrder(msgspec.Struct, frozen=True):
    """An order at the market, or one that waits. Volume in lots, prices in quote currency."""

    order_id: str  # hex digits
    source: str
    symbol: str
    side: Side
    volume: float
    price: float  # asked for
    stop_price: float = 0.0  # 0: none; only for entries
    tolerance: float = 0.0  # how much worse than `price` a fill may be, in price
    position: int = 0  # venue's ticket of the position to reduce; 0: open one
    take_profit: float = 0.0  # 0: none; only for entries
    entry: Literal["market", "limit", "stop"] = "market"  # the last two wait for `price`
    filling: str = ""  # of one that waits: "fok", "ioc", "return"
    expiry: str = ""  # of one that waits: "gtc", "day", "specified"
    expires_us: int = 0  # with "specified"


class Fill(msgspec.Struct, frozen=True):
    """One execution. Money in account currency; `profit` without commission and swap."""

    order: int  # the venue's tickets
    deal: int
    position: int
    time_us: int
    side: Side
    volume: float
    price: float
    commission: float  # with fees
    swap: float
    profit: float
    cause: str = ""  # of a broker's own closing: stop, take_profit, stop_out, manual


class Outcome(msgspec.Struct, frozen=True):
    """What became of a request.

    `done`: a change (of a stop, of a working order) was made. `expired`: it waited until its end,
    and nothing filled it. `met`: it is done, `fills` are what it opened or closed of ours, and the
    rest of it met what others hold (netting accounts). `absent`: the venue answers, and
    knows nothing of it. `ambiguous`: it answers, and what it shows fits more than one order.
    `unknown`: it does not answer.
    """

    kind: Literal[
        "filled", "working", "rejected", "expired", "met", "unknown", "absent", "ambiguous", "done"
    ]
    reason: str = ""
    order: int = 0
    fills: tuple[Fill, ...] = ()


class VenuePosition(msgspec.Struct, frozen=True):
    """One open position; `volume` is signed lots."""

    ticket: int
    source: str
    symbol: str
    volume: float
    price: float
    stop_price: float
    magic: int
    take_profit: float = 0.0
    swap: float = 0.0  # charged so far and not booked, account currency


class WorkingOrder(msgspec.Struct, frozen=True):
    """An order that waits at the venue, or what is left of one; `volume` is what may still fill."""

    ticket: int
    source: str
    symbol: str
    volume: float
    magic: int
    price: float = 0.0  # that it waits for
    stop_price: float = 0.0
    take_profit: float = 0.0
    expires_s: int = 0  # epoch seconds; 0: none is said


class Deal(msgspec.Struct, frozen=True):
    """One line of the account's history: a trade of anybody's, or money that is none.

    `entry`: "in", "out" or "reverse" for trades, "" for money. `cause`: who or what made it
    (`recognition.cause_of`).
    """

    fill: Fill
    source: str
    symbol: str
    magic: int
    entry: str
    comment: str

    @property
    def money(self) -> float:
        """What it changed, account currency."""
        return self.fill.profit + self.fill.commission + self.fill.swap


class Account(msgspec.Struct, frozen=True):
    """The account, in its own currency. `digits`: of its money."""

    login: int
    server: str
    currency: str
    balance: float
    equity: float
    margin: float
    margin_free: float
    credit: float = 0.0
    netting: bool = False  # one position per symbol
    digits: int = 2


class Specification(msgspec.Struct, frozen=True):
    """What may be ordered. Volumes in lots, distances in price.

    A stop must be `stops_distance` away from the market; within `freeze_distance` of the market
    it cannot be changed any more.
    """

    digits: int
    point: float
    volume_min: float
    volume_max: float
    volume_step: float
    stops_distance: float = 0.0
    freeze_distance: float = 0.0
    lot_value: float = (
        0.0  # account currency for a lot per unit of price; 0: the terminal is silent
    )
