"""The book's collections over a past on disk: what was settled before a snapshot is found there.

What is in memory comes first and is all that is ever changed; without a snapshot the book uses
plain dictionaries and sets, and none of these.
"""

from typing import Any

from core.contracts.order import EventKind
from execution.journal.book_state import Order
from execution.journal.past import RECEIVED, TERMS, Past
from execution.journal.position import Terms


class Orders(dict[str, Order]):
    """Orders by id. `kinds`: the kinds of events by their number in the past."""

    def __init__(self, known: dict[str, Order], past: Past, kinds: list[EventKind]) -> None:
        super().__init__(known)
        self._past, self._kinds = past, kinds

    def __missing__(self, name: str) -> Order:
        past = self._past.order(name)
        if past is None:
            raise KeyError(name)
        order = self[name] = Order(self._kinds[past.kind], past.events)
        return order

    def get(self, name: str, default: Any = None) -> Any:  # noqa: D102
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or self._past.order(str(name)) is not None


class Signals(dict[str, Terms]):
    """What signals say of the end of their positions, by signal."""

    def __init__(self, known: dict[str, Terms], past: Past) -> None:
        super().__init__(known)
        self._past = past

    def get(self, name: str, default: Any = None) -> Any:  # noqa: D102
        if super().__contains__(name):
            return self[name]
        past = self._past.signal(name)
        return Terms(*past[1:]) if past and past.known & TERMS else default


class Received(set[str]):
    """Signals that were taken up."""

    def __init__(self, known: list[str], past: Past) -> None:
        super().__init__(known)
        self._past = past

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        past = self._past.signal(str(name))
        return past is not None and bool(past.known & RECEIVED)


class Deals(set[int]):
    """Deals that are counted."""

    def __init__(self, known: list[int], past: Past) -> None:
        super().__init__(known)
        self._past = past

    def __contains__(self, ticket: object) -> bool:
        if super().__contains__(ticket):
            return True
        return isinstance(ticket, int) and 0 <= ticket < 1 << 64 and self._past.has_deal(ticket)


class Magics(dict[int, str]):
    """Orders by the number that their deals carry."""

    def __init__(self, known: dict[int, str], past: Past) -> None:
        super().__init__(known)
        self._past = past

    def __missing__(self, number: int) -> str:
        past = self._past.magic(number) if 0 <= number < 1 << 64 else None
        if past is None:
            raise KeyError(number)
        return past

    def get(self, number: int, default: Any = None) -> Any:  # noqa: D102
        try:
            return self[number]
        except KeyError:
            return default

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.get(number) is not None
