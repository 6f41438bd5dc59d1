"""What viewers see, as keyed items with versions: one mechanism for snapshot, update and thinning.

Every change gets the next version. A viewer remembers the version it has and is sent what is
newer: all of it at first, the changes later, and when it was slow only the newest state of each
key. So a slow viewer is thinned and never waited for. Used from one event loop.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec


class _Item(NamedTuple):
    version: int
    encoded: bytes  # {"k": key, "v": value}, ready to send
    value: Any  # None: the key is gone


class Items:
    """Keyed values in the order of their last change.

    gone: how many removed keys are remembered, so that a viewer that was away hears of them.
    """

    def __init__(self, gone: int = 2_000) -> None:
        self.version = 0
        self._items: OrderedDict[str, _Item] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._most_gone = gone
        #: Of the newest removed key that is not remembered any more.
        self.forgotten = 0
        self._wakers: set[asyncio.Event] = set()
        self._latest: tuple[int, int, bytes] = (0, 0, b"")

    def __contains__(self, key: str) -> bool:
        return key in self._items and self._items[key].value is not None

    def get(self, key: str) -> Any:
        """The value of a key, None without one."""
        item = self._items.get(key)
        return None if item is None else item.value

    def put(self, key: str, value: Any) -> None:
        """Set a key; None removes it. A value that has not changed is not news."""
        before = self._items.get(key)
        if before is not None and before.value == value:
            return
        if value is None:
            if before is None:
                return
            self._forget(key)
        else:
            self._gone.pop(key, None)
        self.version += 1
        encoded = msgspec.json.encode({"k": key, "v": value})
        self._items[key] = _Item(self.version, encoded, value)
        self._items.move_to_end(key)
        for waker in self._wakers:
            waker.set()

    def keys(self, prefix: str) -> list[str]:
        """Keys that begin so and hold a value, least recently changed first."""
        return [
            k for k, item in self._items.items() if k.startswith(prefix) and item.value is not None
        ]

    def newer(self, version: int) -> list[tuple[int, str, Any]]:
        """Versions, keys and values of what changed after a version, oldest first; None: gone.

        Of a version before `forgotten` some that are gone are missing.
        """
        newer = []
        for key, item in reversed(self._items.items()):
            if item.version <= version:
                break
            newer.append((item.version, key, item.value))
        return newer[::-1]

    def since(self, version: int) -> bytes:
        """A JSON array of what changed after a version, oldest first; empty when nothing did."""
        if version >= self.version:
            return b""
        if self._latest[:2] != (version, self.version):  # most viewers ask for the same
            self._latest = (version, self.version, self._encode(version))
        return self._latest[2]

    def _encode(self, version: int) -> bytes:
        newer: list[bytes] = []
        for item in reversed(self._items.values()):
            if item.version <= version:
                break
            newer.append(item.encoded)
        return b"[" + b",".join(reversed(newer)) + b"]"

    @contextmanager
    def waking(self) -> Iterator[asyncio.Event]:
        """An event that is set at every change while the block runs."""
        waker = asyncio.Event()
        self._wakers.add(waker)
        try:
            yield waker
        finally:
            self._wakers.discard(waker)

    def _forget(self, key: str) -> None:
        self._gone[key] = None
        while len(self._gone) > self._most_gone:
            oldest, _ = self._gone.popitem(last=False)
            self.forgotten = max(self.forgotten, self._items.pop(oldest).version)
