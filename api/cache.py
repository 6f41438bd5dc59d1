"""Answers that were given, as bytes, by what was asked and the version of the data: one cache.

Bounded in bytes; what was used least recently goes first. An answer of another version is never
found again, and goes that way.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple


class Answer(NamedTuple):
    """What was answered. `next`: cursor of the next page, "" at the end."""

    body: bytes
    etag: str
    next: str = ""


class Cache:
    """Used from one event loop."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._size = most_bytes, 0
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()

    def get(self, key: Hashable) -> Answer | None:
        """The answer of a key."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Hashable, answer: Answer) -> None:
        """Keep an answer, unless it is a large part of the whole by itself."""
        if len(answer.body) > self._most // 8 or key in self._answers:
            return
        self._answers[key] = answer
        self._size += len(answer.body)
        while self._size > self._most:
            _, oldest = self._answers.popitem(last=False)
            self._size -= len(oldest.body)

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return self._size
