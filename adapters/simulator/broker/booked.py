"""An append-only list with branches that share what they have in common.

The simulated account is branched for every request it decides. Copying a year's deals each time
made long replays slow; a branch copies only when another one has appended first.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Booked(Generic[T]):
    """Entries with a time, in the order of booking, which is nearly that of time."""

    def __init__(self) -> None:
        self._entries: list[T] = []
        self._times: list[int] = []
        self._reached: list[int] = []  # the latest time booked so far: ascending
        self._count = 0

    def branch(self) -> "Booked[T]":
        """Another end of the same list."""
        other: Booked[T] = Booked()
        other._entries, other._times, other._reached = self._entries, self._times, self._reached
        other._count = self._count
        return other

    def append(self, entry: T, time_msc: int) -> None:
        """Book one more."""
        count = self._count
        if len(self._entries) != count:  # another branch went on from here: leave it its own
            self._entries = self._entries[:count]
            self._times, self._reached = self._times[:count], self._reached[:count]
        self._entries.append(entry)
        self._times.append(time_msc)
        self._reached.append(max(time_msc, self._reached[-1]) if count else time_msc)
        self._count += 1

    def between(self, begin_msc: int, end_msc: int) -> Iterator[T]:
        """Entries of a span of time, both ends included, in the order of booking."""
        first = bisect_left(self._reached, begin_msc, 0, self._count)
        for index in range(first, self._count):
            if begin_msc <= self._times[index] <= end_msc:
                yield self._entries[index]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> T:
        position = index + self._count if index < 0 else index
        if not 0 <= position < self._count:
            raise IndexError(index)
        return self._entries[position]
