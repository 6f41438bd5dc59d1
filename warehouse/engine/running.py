"""Which requests run now: whose they are, under which query id, and how many are under way.

Used from one event loop.
"""

import contextlib
import re
from collections.abc import Iterator

from warehouse.engine.answer import refusal
from warehouse.protocol.status import TOO_MANY_QUERIES

_KILL = re.compile(
    r"\s*KILL\s+QUERY\s+WHERE\s+query_id\s*=\s*'((?:[^'\\]|\\.)*)'\s*(?:A?SYNC)?\s*;?\s*\Z",
    re.IGNORECASE,
)


class Running:
    """Requests by query id. streams: most answers and uploads under way at once."""

    def __init__(self, streams: int) -> None:
        self._running: dict[str, tuple[str, str]] = {}
        self._streams, self._most_streams = 0, streams

    @contextlib.contextmanager
    def listed(self, query_id: str, user: str, tag: str) -> Iterator[None]:
        """Hold a query id while its request runs.

        Raises:
            WarehouseError: 216, the id is taken.
        """
        if query_id in self._running:
            raise refusal(
                216,
                f"Query with id = {query_id} is already running",
                "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
            )
        self._running[query_id] = (user, tag)
        try:
            yield
        finally:
            del self._running[query_id]

    def tag(self, query_id: str, user: str) -> str:
        """The tag of this user's statement; empty if this user runs none of that id."""
        owner, tag = self._running.get(query_id, ("", ""))
        return tag if owner == user else ""

    @contextlib.contextmanager
    def stream(self) -> Iterator[None]:
        """Take one of the places for answers and uploads in pieces.

        Raises:
            WarehouseError: 202, all are taken.
        """
        if self._streams >= self._most_streams:
            raise refusal(
                TOO_MANY_QUERIES,
                f"Too many answers and uploads under way: {self._streams}",
                "TOO_MANY_SIMULTANEOUS_QUERIES",
            )
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1


def killed(sql: str) -> str:
    """The query id of a `KILL QUERY WHERE query_id = '…'` and nothing more; else empty."""
    match = _KILL.match(sql)
    return re.sub(r"\\(.)", r"\1", match[1]) if match else ""
