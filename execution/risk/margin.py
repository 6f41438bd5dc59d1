"""Margin an order would take, and what is free, by the venue's own calculation.

Asking costs two round trips on the way of an order. A replay asks, for exactness. Live, both
are asked for beforehand, every second or so, and remembered.
"""

from typing import NamedTuple, Protocol

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import Account, VenueOrder
from core.clock import Clock

_FRESH_US = 2_000_000


class Margin(NamedTuple):
    """In account currency; `needed` is None when the venue has no rate to convert it."""

    needed: float | None
    free: float


class Funds(Protocol):
    """Where the margin check looks."""

    def margin(self, order: VenueOrder) -> Margin:
        """Margin of an entry, and what is free.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        ...

    def needs(self, order: VenueOrder) -> float | None:
        """Margin of an order that waits; None when there is no rate to convert it.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        ...

    def account(self) -> Account:
        """The account, for limits on losses and for sizing.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        ...


class VenueFunds:
    """Of the venue, asked every time."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def margin(self, order: VenueOrder) -> Margin:
        """See Funds."""
        return Margin(self._venue.margin(order), self._venue.account().margin_free)

    def needs(self, order: VenueOrder) -> float | None:
        """See Funds."""
        return self._venue.margin(order)

    def account(self) -> Account:
        """See Funds."""
        return self._venue.account()


class CachedFunds:
    """Remembers margin per lot and free margin, as of the last `refresh`.

    What an order looks at counts as taken until the next refresh, so that several orders
    between two refreshes cannot share the same free margin.
    """

    def __init__(self, venue: Venue, clock: Clock) -> None:
        self._venue, self._clock = venue, clock
        self._orders: dict[tuple[str, str, str], VenueOrder] = {}
        self._per_lot: dict[tuple[str, str, str], float | None] = {}
        self._free, self._refreshed_us = 0.0, 0
        self._account: Account | None = None

    def refresh(self) -> None:
        """Ask again for all feeds and sides traded so far.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        self._account = self._venue.account()
        self._free = self._account.margin_free
        for key, order in self._orders.items():
            self._per_lot[key] = self._venue.margin(order)
        self._refreshed_us = self._clock.now_us()

    def margin(self, order: VenueOrder) -> Margin:
        """See Funds."""
        needed = self.needs(order)
        margin = Margin(needed, self._free)
        if needed is not None and needed <= self._free:
            self._free -= needed
        return margin

    def needs(self, order: VenueOrder) -> float | None:
        """See Funds; as of the last refresh."""
        key = order.source, order.symbol, order.side
        if key not in self._orders or self._clock.now_us() - self._refreshed_us > _FRESH_US:
            self._orders[key] = replace(order, volume=1.0)
            self.refresh()
        per_lot = self._per_lot[key]
        return None if per_lot is None else per_lot * order.volume

    def account(self) -> Account:
        """See Funds; as of the last refresh."""
        if self._account is None or self._clock.now_us() - self._refreshed_us > _FRESH_US:
            self.refresh()
        assert self._account is not None
        return self._account
