"""One statement from its session to the last byte of its answer. Blocks; runs in worker threads.

An answer is held back until a megabyte is there, it is complete, or half a second passed, so that
most errors still get a status of their own and a slow answer still flows. Between two chunks no
thread belongs to it: a client that reads slowly holds a connection and the chunk the engine has
ready, nothing else.
"""

import contextlib
import json
import math
import secrets
import string
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.errors import WarehouseError
from warehouse.engine.connection import Answer, Connection, Context, Insert, Stream
from warehouse.protocol import native_block
from warehouse.protocol.encoding import Encoder
from warehouse.protocol.statement import Statement, first_word, output_format

_HELD_BACK = 1 << 20
# What the engine has at once travels in one piece, because each piece costs two changes of thread.
_PIECE, _AT_ONCE_S = 4 << 20, 0.05
_HELD_BACK_S = 0.5
# Formats whose chunks, put together, are the whole answer.
_CONCATENATE = frozenset({"Native", "RowBinary", "JSONEachRow"})
_SHOWING = frozenset({"SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK", "KILL", "VALUES"})
_TAG_LETTERS = string.ascii_letters

Describe = Callable[[Statement, Context], list[tuple[str, str]]]


@dataclass(slots=True)
class Lease:
    """A connection for one request and how it goes back."""

    connection: Connection
    release: Callable[[], None]


class Exchange:
    """A statement being answered.

    whole: answer in one piece (`wait_end_of_query`). revision: Native's for this client.
    describe: name and type of a query's columns, asked on a connection of its own.
    Methods raise WarehouseError when the engine refuses, ValueError for Native types that
    cannot be written for this revision; `close` must follow in every case.
    """

    def __init__(
        self,
        lease: Callable[[], Lease],
        statement: Statement,
        context: Context,
        encoder: Encoder | None = None,
        whole: bool = False,
        revision: int = 0,
        describe: Describe | None = None,
    ) -> None:
        self._open, self._statement, self._context = lease, statement, context
        self._encoder, self._whole, self._revision = encoder, whole, revision
        self._describe, self._types_known = describe, list[str]()
        self.format = output_format(statement.sql, context.default_format)
        self.exception_tag = "".join(secrets.choice(_TAG_LETTERS) for _ in range(16))
        self._lease: Lease | None = None
        self._stream: Stream | None = None
        self._insert: Insert | None = None
        self.answer = Answer(b"")
        self.cancelled = False

    @property
    def streaming(self) -> bool:
        """Whether more follows what `start` returned."""
        return self._stream is not None

    @property
    def shows(self) -> bool:
        """Whether the statement answers with rows, if only none."""
        shows = self._selects() or first_word(self._statement.sql) in _SHOWING
        return shows or bool(self.answer.body)

    @property
    def held(self) -> bool:
        """Whether there is something to give back."""
        return self._lease is not None

    def start(self) -> bytes:
        """Run until the answer is complete or large; its first bytes, encoded.

        What is complete, or failed, is closed here and now: one trip to a thread less.
        """
        try:
            return self._start()
        finally:
            if not self.streaming:
                self.close()

    def _start(self) -> bytes:
        connection = self._connect()
        connection.prepare(self._statement, self._context)
        if self._streamable() and (stream := connection.stream(self._statement, self._context)):
            self._stream = stream
            self._hold_back()
        else:
            self.answer = connection.run(self._statement, self._context)
            self.answer = replace(self.answer, body=self._revised(self.answer.body))
        body = self.answer.body
        if not body and self.format == "Native" and self._selects():
            header = native_block.header(connection.columns(self._statement, self._context))
            body = self._revised(header)
        return self._encode(body, last=not self.streaming)

    def more(self) -> bytes | None:
        """The next bytes of a streamed answer; None when there are no more."""
        if self._stream is None:
            return None
        chunks = self._fetch(least=1, most=_PIECE)
        return self._encode(b"".join(chunk.body for chunk in chunks), last=not self.streaming)

    def open_insert(self) -> None:
        """Begin an INSERT whose data follows in pieces."""
        connection = self._connect()
        connection.prepare(self._statement, self._context)
        self._insert = connection.insert(self._statement, self._context)
        if self._statement.data:
            self._insert.append(self._statement.data)

    def append(self, data: bytes) -> None:
        """More data of that INSERT."""
        if self._insert is not None and data:
            self._insert.append(data)

    def commit(self) -> bytes:
        """The INSERT is complete; its (empty) answer."""
        if self._insert is not None:
            self.answer = self._insert.commit()
            self._insert = None
        return b""

    def failure(self, error: Exception) -> bytes:
        """How an answer that has begun tells its client that it failed."""
        text = str(error).rstrip().encode() + b"\n"
        mark, tag = b"__exception__", self.exception_tag.encode()
        end = b"%d %s" % (len(text), tag)
        return self._encode(b"\r\n".join((b"", mark, tag, text + end, mark, b"")), last=True)

    def close(self) -> None:
        """Give everything back. May be called again."""
        if self._insert is not None:
            self._insert.cancel()
            self._insert = None
        self._end_stream()
        if self._lease is not None:
            lease, self._lease = self._lease, None
            try:
                lease.connection.finish(self._statement, self._context)
            finally:
                lease.release()

    def _connect(self) -> Connection:
        if self.cancelled:
            raise WarehouseError(
                "Code: 394. DB::Exception: The client left. (QUERY_WAS_CANCELLED)", 394
            )
        self._lease = self._open()
        return self._lease.connection

    def _selects(self) -> bool:
        word = first_word(self._statement.sql)
        return not self._statement.input_format and word in ("SELECT", "WITH", "(", "FROM")

    def _streamable(self) -> bool:
        # In a stream each chunk is one block, which Native of a revision has to know.
        blocks = self.format == "Native" and self._revision > 0
        return (blocks or not self._whole) and self.format in _CONCATENATE and self._selects()

    def _hold_back(self) -> None:
        if self._whole:
            chunks = self._fetch(least=sys.maxsize, most=sys.maxsize)
        else:
            # No more than that: beyond it clients expect errors in mid-stream.
            chunks = self._fetch(_HELD_BACK, _HELD_BACK, _HELD_BACK_S)
        self.answer = Answer(
            b"".join(chunk.body for chunk in chunks),
            read_rows=max((chunk.read_rows for chunk in chunks), default=0),
            read_bytes=max((chunk.read_bytes for chunk in chunks), default=0),
            result_rows=sum(chunk.result_rows for chunk in chunks),
            elapsed_s=max((chunk.elapsed_s for chunk in chunks), default=0.0),
        )

    def _fetch(self, least: int, most: int, patience_s: float = math.inf) -> list[Answer]:
        """Chunks of `least` bytes at least, of more as long as the engine has them at once; of
        less when something is there and patience is over.
        """
        chunks: list[Answer] = []
        size, began = 0, time.monotonic()
        while self._stream is not None:
            passed = time.monotonic() - began
            if size >= least and (size >= most or passed > _AT_ONCE_S):
                break
            if size and passed > patience_s:
                break
            chunk = self._stream.fetch()
            if chunk is None:
                self._end_stream()
            else:
                chunks.append(replace(chunk, body=self._revised(chunk.body)))
                size += len(chunk.body)
        return chunks

    def _revised(self, body: bytes) -> bytes:
        if not self._revision or self.format != "Native":
            return body
        return native_block.revise(body, self._revision, self._types)

    def _types(self) -> list[str]:
        if not self._types_known and self._describe is not None and self._selects():
            with contextlib.suppress(WarehouseError):  # of a session's own temporary table
                columns = self._describe(self._statement, self._context)
                self._types_known = [kind for _, kind in columns]
        return self._types_known

    def _encode(self, body: bytes, last: bool = False) -> bytes:
        if self._encoder is None:
            return body
        return self._encoder.compress(body) + (self._encoder.flush() if last else b"")

    def _end_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def summary(answer: Answer) -> str:
    """X-ClickHouse-Summary."""
    figures = {
        "read_rows": answer.read_rows,
        "read_bytes": answer.read_bytes,
        "written_rows": answer.written_rows,
        "written_bytes": answer.written_bytes,
        "result_rows": answer.result_rows,
        "elapsed_ns": int(answer.elapsed_s * 1e9),
    }
    return json.dumps({name: str(value) for name, value in figures.items()})
