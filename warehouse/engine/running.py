"""Which requests run now: whose they are, under which query id, and how many are under way.

Nobody has all places: what one user begins and leaves half done keeps no other one out.

Used from one event loop.
"""

import contextlib
import re
from collections import Counter
from collections.abc import Iterator

from warehouse.engine.answer import refusal
from warehouse.protocol.status import TOO_MANY_QUERIES

_KILL = re.compile(
    r"\s*KILL\s+QUERY\s+WHERE\s+query_id\s*=\s*'((?:[^'\\]|\\.)*)'\s*(?:A?SYNC)?\s*;?\s*\Z",
    re.IGNORECASE,
)


class Running:
    """Requests by query id.

    streams: most answers and uploads under way at once; one user has half of them at most.
    requests: most of one user, from its head to the last byte of its answer.
    """

    def __init__(self, streams: int, requests: int = 256) -> None:
        self._running: dict[str, tuple[str, str]] = {}
        self._requests, self._most_requests = Counter[str](), requests
        self._streams, self._most_streams = Counter[str](), streams

    @contextlib.contextmanager
    def listed(self, query_id: str, user: str, tag: str) -> Iterator[None]:
        """Hold a query id while its request runs.

        Raises:
            WarehouseError: 216, the id is taken; 202, this user has too many under way.
        """
        if query_id in self._running:
            raise refusal(
                216,
                f"Query with id = {query_id} is already running",
                "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
            )
        with _counted(self._requests, user, self._most_requests, "requests"):
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
    def stream(self, user: str) -> Iterator[None]:
        """Take one of the places for answers and uploads in pieces.

        Raises:
            WarehouseError: 202, all are taken, or this user's share of them.
        """
        left = self._most_streams - self._streams.total() + self._streams[user]
        most = min(left, (self._most_streams + 1) // 2)
        with _counted(self._streams, user, most, "answers and uploads"):
            yield


@contextlib.contextmanager
def _counted(counts: Counter[str], user: str, most: int, what: str) -> Iterator[None]:
    if counts[user] >= most:
        raise refusal(
            TOO_MANY_QUERIES,
            f"Too many {what} of {user} under way: {counts[user]}, try again",
            "TOO_MANY_SIMULTANEOUS_QUERIES",
        )
    counts[user] += 1
    try:
        yield
    finally:
        counts[user] -= 1
        if not counts[user]:
            del counts[user]


def killed(sql: str) -> str:
    """The query id of a `KILL QUERY WHERE query_id = '…'` and nothing more; else empty."""
    match = _KILL.match(sql)
    return re.sub(r"\\(.)", r"\1", match[1]) if match else ""
