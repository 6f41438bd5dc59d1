"""Live topics as server-sent events: what is now first, and every change from then on.

A slow reader is thinned as the live page's viewers are: it gets the newest state of each key, late
news never. An `id` says how far a reader has come, as long as this process runs.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import StreamingResponse

from api.callers import Caller
from api.door import allow
from api.now import BOOT, KINDS, OF_PREFIX, encoded
from api.problems import ProblemError
from dashboards.live.items import Items

MOST, MOST_OF_A_KEY = 100, 10
_PAUSE_S, _ALIVE_S = 0.05, 10.0


class Streams:
    """All readers of events."""

    def __init__(self, items: Items) -> None:
        self._items, self._open = items, Counter[str]()
        self.closing = asyncio.Event()

    def open(
        self, request: Request, topics: str, is_still: Callable[[], bool]
    ) -> StreamingResponse:
        """Events of some topics until the reader leaves, or is known no more.

        Raises:
            ProblemError: a topic is none or not theirs, or there are too many readers.
        """
        caller: Caller = request.scope["caller"]
        names = _names(topics, caller)
        have = _come_to(request.headers.get("last-event-id", ""), self._items)
        self._check(caller.key_id)
        events = self._events(caller.key_id, frozenset(names), have, is_still)
        return StreamingResponse(events, media_type="text/event-stream")

    def _check(self, key_id: str) -> None:
        if self._open[key_id] >= MOST_OF_A_KEY or self._open.total() >= MOST:
            raise ProblemError(503, "busy", "too many read events: try again", {"Retry-After": "5"})

    async def _events(
        self, key_id: str, names: frozenset[str], have: int, is_still: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        self._open[key_id] += 1
        try:
            yield b"retry: 2000\n\n"
            with self._items.waking() as waker:
                while is_still() and not self.closing.is_set():
                    waker.clear()
                    newer, have = _newer(self._items, have, names), self._items.version
                    if newer:
                        yield newer
                        await asyncio.sleep(_PAUSE_S)
                    elif not await _woken(waker):
                        yield b": here\n\n"
        finally:
            self._open[key_id] -= 1


def _names(topics: str, caller: Caller) -> list[str]:
    names = [name for name in topics.split(",") if name]
    unknown = sorted(set(names) - set(KINDS))
    if not names or unknown:
        known = ", ".join(KINDS)
        raise ProblemError(422, "parameter", f"topics: some of {known}, separated by commas")
    for name in names:
        allow(caller, KINDS[name].scope)
    if caller.filtered:
        raise ProblemError(403, "filtered", "your rows are filtered: ask for history instead")
    return names


def _come_to(last: str, items: Items) -> int:
    boot, _, version = last.partition(".")
    if boot != BOOT or not version.isdigit() or len(version) > 18:
        return 0
    have = int(version)
    return have if items.forgotten <= have <= items.version else 0


def _newer(items: Items, have: int, names: frozenset[str]) -> bytes:
    parts = []
    for version, key, value in items.newer(have):
        prefix, _, rest = key.partition("|")
        name = OF_PREFIX.get(prefix)
        if name in names:
            parts.append(_event(name, version, rest, value))
    return b"".join(parts)


def _event(name: str, version: int, key: str, value: Any) -> bytes:
    data = msgspec.json.encode({"gone": key}) if value is None else encoded(KINDS[name], key, value)
    return b"event: %s\nid: %s.%d\ndata: %s\n\n" % (name.encode(), BOOT.encode(), version, data)


async def _woken(waker: asyncio.Event) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_ALIVE_S):
            await waker.wait()
        return True
    return False
