"""Which event may follow which in the life of one order; everything else is a fault of ours."""

from core.contracts.order import EventKind as Kind
from core.errors import JournalError

#: Last event -> events that may come next. `None`: the order has none yet. A market order that
#: reduces a position has no RECEIVED when a horizon, and not a signal, asked for it.
NEXT: dict[Kind | None, frozenset[Kind]] = {
    None: frozenset({Kind.RECEIVED, Kind.SUBMITTED, Kind.DENIED, Kind.BOOKED}),
    Kind.RECEIVED: frozenset({Kind.SUPERSEDED, Kind.DENIED, Kind.SUBMITTED, Kind.CANCELLED}),
    Kind.SUBMITTED: frozenset({Kind.ACCEPTED, Kind.REJECTED, Kind.UNKNOWN, Kind.EXPIRED}),
    Kind.UNKNOWN: frozenset({Kind.RECONCILED}),
    Kind.RECONCILED: frozenset({Kind.ACCEPTED, Kind.REJECTED, Kind.EXPIRED}),
    Kind.ACCEPTED: frozenset(
        {Kind.PARTIALLY_FILLED, Kind.FILLED, Kind.CANCELLED, Kind.EXPIRED, Kind.UNKNOWN}
    ),
    Kind.PARTIALLY_FILLED: frozenset(
        {Kind.PARTIALLY_FILLED, Kind.FILLED, Kind.CANCELLED, Kind.CLOSED}
    ),
    Kind.FILLED: frozenset({Kind.CLOSED}),  # the broker closed the position this order opened
    Kind.CANCELLED: frozenset({Kind.CLOSED}),  # as before, after a part was filled
    Kind.CLOSED: frozenset({Kind.CLOSED}),  # in parts
    Kind.DENIED: frozenset(),
    Kind.SUPERSEDED: frozenset(),
    Kind.REJECTED: frozenset(),
    Kind.EXPIRED: frozenset(),
    Kind.BOOKED: frozenset(),
}

#: The venue may hold, or come to hold, such an order and we do not know what became of it.
UNSETTLED = frozenset(
    {Kind.SUBMITTED, Kind.UNKNOWN, Kind.RECONCILED, Kind.ACCEPTED, Kind.PARTIALLY_FILLED}
)

#: The venue took the order, and may still fill it.
AT_VENUE = frozenset({Kind.ACCEPTED, Kind.PARTIALLY_FILLED})

#: Events beside an order's life, which do not change where it stands -> where it may stand.
_FILLED = frozenset({Kind.PARTIALLY_FILLED, Kind.FILLED, Kind.CANCELLED, Kind.CLOSED})
ASIDE: dict[Kind, frozenset[Kind]] = {
    Kind.STOP_MOVING: _FILLED,
    Kind.STOP_MOVED: _FILLED,
    Kind.STOP_KEPT: _FILLED,
    Kind.CANCELLING: UNSETTLED,
    Kind.MODIFYING: AT_VENUE,
    Kind.MODIFIED: AT_VENUE,
    Kind.UNMODIFIED: AT_VENUE,
}


def may_follow(before: Kind | None, event: Kind) -> bool:
    """Whether an event is possible after the one that decided where an order stands."""
    return before in ASIDE[event] if event in ASIDE else event in NEXT[before]


def check(before: Kind | None, event: Kind, order_id: str) -> None:
    """Refuse an impossible transition.

    Raises:
        JournalError: `event` cannot follow `before`.
    """
    if not may_follow(before, event):
        known = before.value if before else "nothing"
        raise JournalError(
            f"order {order_id}: {event.value} cannot follow {known}. Execution stops before it"
            " acts on a wrong state: keep the journal and report this"
        )
