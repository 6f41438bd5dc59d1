"""What can go wrong at a broker, as a script: which fault meets which order, and the weather.

The simulated package (`package.py`) acts on it. Everything here happened to somebody: answers
that never come for orders that fill, comments that come back shortened or rewritten, history
that lags behind positions or shows a deal twice.
"""

from collections import deque
from typing import Literal

import msgspec

from adapters.mt5.protocol import constants as mt5

Kind = Literal[
    "refuse", "lost_request", "lost_answer", "late", "slow", "partial", "staggered", "twice"
]  # fmt: skip


class Fault(msgspec.Struct, frozen=True):
    """What happens to one `order_send`.

    `refuse`: answered with `retcode`, nothing done (requote, market closed, no money, ...).
    `lost_request`: never reaches the broker. `lost_answer`: done, but the answer is lost.
    `late`: the answer is lost, and the order is done only `delay_ms` later. `slow`: the answer
    comes so late. `partial`: filled to a `share` only, where the request allows it. `staggered`:
    filled to a `share` at once, the rest as a working order in two further parts, each
    `delay_ms` later; of an order that waits, both mean that its price fills it in two parts, the
    second not before `delay_ms` later, when its price is there again. `twice`: done, and done once
    more `delay_ms` later. What is lost is
    answered with `retcode` (10012, 10031), or with None when that is 0.
    """

    kind: Kind
    retcode: int = 0
    delay_ms: int = 0
    share: float = 0.5


Rewriting = Literal["", "cut", "empty", "broker"]


class Faults(msgspec.Struct):
    """The script. `sends` is taken one by one; the rest holds until it is changed."""

    sends: deque[Fault | None] = msgspec.field(default_factory=deque)
    done_twice: list[str] = msgspec.field(default_factory=list)  # comments of such orders
    connected: bool = True
    autotrading: bool = True
    comments: Rewriting = ""
    history_lag_ms: int = 0  # deals and finished orders show up so much later than positions
    doubled: bool = False  # history lists every deal and order twice
    stops_level: int = 0  # points a stop must be away from the price
    freeze_level: int = 0  # points within which of the price a stop cannot be changed
    filling_modes: int = mt5.SYMBOL_FILLING_FOK | mt5.SYMBOL_FILLING_IOC

    def take(self) -> Fault | None:
        """The fault of the next order."""
        return self.sends.popleft() if self.sends else None

    def rewrite(self, comment: str) -> str:
        """A comment of ours as the broker shows it; its own (`[sl ...]`) stay."""
        if comment.startswith("["):
            return comment
        if self.comments == "cut":
            return comment[:16]
        if self.comments == "empty":
            return ""
        return f"to #{sum(map(ord, comment))}" if self.comments == "broker" else comment
