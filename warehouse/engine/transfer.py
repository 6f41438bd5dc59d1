"""Answers and inserts that pass the engine in pieces, so that neither must fit into memory."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from core import crashpoint
from warehouse.engine.answer import Answer, Context, answer_of, errors
from warehouse.engine.stored import cause


class Stream:
    """A query's answer in chunks. The engine waits while nobody fetches."""

    def __init__(self, raw: Any, handle: Any, context: Context) -> None:
        self._raw, self._handle, self._context = raw, handle, context

    def fetch(self) -> Answer | None:
        """The next chunk; None at the end."""
        with errors(self._context):
            result = self._raw.streaming_fetch_result(self._handle)
        if result is None or (not result.size() and not result.rows_read()):
            return None
        return answer_of(result, bytes(result.bytes()))

    def close(self) -> None:
        """Let the query go; closing its connection without this takes seconds."""
        with contextlib.suppress(RuntimeError):
            self._raw.streaming_cancel_query(self._handle)


def cancel_insert(raw: Any, handle: Any) -> None:
    """Store nothing more of an insert. Harmless after a failure."""
    with contextlib.suppress(RuntimeError):
        raw.insert_cancel(handle)


class Insert:
    """An INSERT whose data comes in pieces; the engine stores blocks as they fill."""

    def __init__(
        self, raw: Any, handle: Any, context: Context, expect_stored: Callable[[], None]
    ) -> None:
        self._raw, self._handle, self._context = raw, handle, context
        self._expect_stored = expect_stored

    def append(self, data: bytes) -> None:
        """More data, cut anywhere."""
        with errors(self._context), self._causes():
            self._raw.insert_append(self._handle, data)

    def commit(self) -> Answer:
        """Store the rest. After this the rows are there."""
        crashpoint.reach("warehouse.insert.before")
        with errors(self._context), self._causes():
            result = self._raw.insert_done(self._handle)
        self._expect_stored()
        crashpoint.reach("warehouse.insert.after")
        return answer_of(result, b"")

    def cancel(self) -> None:
        """Store nothing more. Harmless after a failure."""
        cancel_insert(self._raw, self._handle)

    @contextlib.contextmanager
    def _causes(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            self.cancel()  # an open insert keeps its connection from answering
            raise cause(self._raw, error) from error
