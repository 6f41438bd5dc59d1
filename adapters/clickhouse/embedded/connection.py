"""One engine connection, which is one ClickHouse session.

Settings and database of a request hold for that request only. A connection that serves one
request just sets them; one that is kept for a `session_id` puts back what the session had, but
only when the next request differs, because a client sends the same settings every time.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.clickhouse.embedded.multipart import ExternalTable
from adapters.clickhouse.embedded.statement import Statement, first_word, without_format
from adapters.clickhouse.embedded.stored import FailedInserts, cause
from core import crashpoint
from core.errors import WarehouseError

_CODE = re.compile(r"Code: (\d+)")
_NAME = re.compile(r"\w+")
_NOT_STREAMED = "Streaming query is not supported"
_MUTATING = ("MUTATING", "MUTATING_GLOBAL")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement returned: the body in its format, and what it read and wrote."""

    body: bytes
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """Around one statement: its database, settings, bound parameters and default format.

    tag: a comment by which the running statement is found and killed. tables: external data.
    """

    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    default_format: str = "TabSeparated"
    tag: str = ""
    tables: tuple[ExternalTable, ...] = ()


class Connection:
    """A session in the engine. One thread at a time; every method blocks.

    kept: serves several requests (a `session_id`). Every method raises WarehouseError with
    ClickHouse's code when the engine refuses.
    """

    def __init__(self, raw: Any, failed: FailedInserts, kept: bool = False) -> None:
        self._raw, self._failed, self._kept = raw, failed, kept
        self._database = self._own_database = "default"
        self._applied: dict[str, str] = {}  # settings of the last request, still in force
        self._own: dict[str, str] = {}  # what the session itself had instead

    def prepare(self, statement: Statement, context: Context) -> None:
        """Put settings, database and external tables of a request in force."""
        with _errors(context):
            for table in context.tables:
                self._create(table)
            self._use(context.database)
            if self._kept:
                self._exchange_settings(statement, dict(context.settings))
            elif context.settings:
                self._set(context.settings)

    def finish(self, statement: Statement, context: Context) -> None:
        """After the statement: external tables go, SET and USE become the session's own."""
        if not self._kept:
            return
        with _errors(context):
            for table in context.tables:
                self._raw.query(f"DROP TEMPORARY TABLE IF EXISTS `{table.name}`", "Null")
            word = first_word(statement.sql)
            if word == "SET":
                self._own.clear()
            elif word == "USE":
                self._database = self._own_database = self._text("SELECT currentDatabase()")

    def run(self, statement: Statement, context: Context) -> Answer:
        """Run a statement; its whole answer."""
        if statement.input_format:
            insert = self.insert(statement, context)
            try:
                insert.append(statement.data)
                return insert.commit()
            except WarehouseError:
                insert.cancel()
                raise
        self._expect_one(statement.sql)
        with _errors(context):
            result = self._raw.query(
                _tagged(statement.sql, context.tag),
                context.default_format,
                params=dict(context.parameters),
            )
            return _answer(result, bytes(result.bytes()))

    def stream(self, statement: Statement, context: Context) -> "Stream | None":
        """Start a query whose answer is fetched in chunks; None if the engine cannot."""
        self._expect_one(statement.sql)
        try:
            handle = self._raw.send_query(
                _tagged(statement.sql, context.tag),
                context.default_format,
                params=dict(context.parameters),
            )
        except RuntimeError as error:
            if _NOT_STREAMED in str(error):
                return None
            raise _translated(error, context) from error
        return Stream(self._raw, handle, context)

    def insert(self, statement: Statement, context: Context, verify: bool = True) -> "Insert":
        """Start an INSERT whose data comes in pieces. verify: ask whether it is stored (stored.py);
        only a benchmark does without.
        """
        mark = self._failed.mark()

        def expect_stored() -> None:
            if verify:
                self._failed.expect_stored(self._raw, mark)

        with _errors(context):
            sql = _tagged(statement.sql, context.tag)
            handle = self._raw.send_insert(sql, statement.input_format)
        return Insert(
            self._raw, handle, context, lambda: self._failed.expect_stored(self._raw, mark)
        )

    def columns(self, statement: Statement, context: Context) -> list[tuple[str, str]]:
        """Name and type of each column a query answers, without running it."""
        with _errors(context):
            sql = f"DESCRIBE TABLE ({without_format(statement.sql)}\n)"
            result = self._raw.query(sql, "TSVRaw", params=dict(context.parameters))
            lines = bytes(result.bytes()).decode().splitlines()
        return [(parts[0], parts[1]) for parts in (line.split("\t") for line in lines)]

    def classify(self, sql: str) -> str:
        """The engine's class of a statement: READ_ONLY, MUTATING, MUTATING_GLOBAL, CONTROL..."""
        with _errors(Context()):
            return str(self._raw.classify_query(sql)["query_class"].name)

    def close(self) -> None:
        """End the session."""
        self._raw.close()

    def _create(self, table: ExternalTable) -> None:
        name = f"`{table.name}`"
        self._raw.query(
            f"CREATE TEMPORARY TABLE {name} ({table.structure}) ENGINE = Memory", "Null"
        )
        handle = self._raw.send_insert(f"INSERT INTO {name} ", table.format)
        self._raw.insert_append(handle, table.data)
        self._raw.insert_done(handle)

    def _use(self, database: str) -> None:
        wanted = database or self._own_database
        if wanted != self._database:
            self._raw.query(f"USE {_quoted_name(wanted)}", "Null")
            self._database = wanted

    def _exchange_settings(self, statement: Statement, wanted: dict[str, str]) -> None:
        # The engine cannot leave `readonly` again, so a kept connection is guarded here.
        if wanted.pop("readonly", "0") != "0" and self._changes(statement):
            raise _refusal(164, "Cannot execute query in readonly mode", "READONLY")
        if first_word(statement.sql) == "SET":
            wanted = {}
        if wanted == self._applied:
            return
        unknown = wanted.keys() - self._own.keys()
        if unknown:
            self._own |= self._values(unknown)
        back = {name: self._own[name] for name in self._applied if name not in wanted}
        before, self._applied = self._applied, self._applied | wanted  # should SET fail half-way
        if before or wanted:
            self._set(back | wanted)
        self._applied = wanted

    def _values(self, names: set[str]) -> dict[str, str]:
        listed = ", ".join(f"'{name}'" for name in names if _NAME.fullmatch(name))
        sql = f"SELECT name, value FROM system.settings WHERE name IN ({listed or 'NULL'})"
        lines = bytes(self._raw.query(sql, "TSVRaw").bytes()).decode().splitlines()
        found = dict(line.split("\t", 1) for line in lines)
        missing = sorted(names - found.keys())
        if missing:
            raise _refusal(115, f"Unknown setting '{missing[0]}'", "UNKNOWN_SETTING")
        return found

    def _set(self, settings: Mapping[str, str]) -> None:
        self._raw.query("SET " + ", ".join(map(_assignment, settings.items())), "Null")

    def _changes(self, statement: Statement) -> bool:
        if statement.input_format:
            return True
        return self._raw.classify_query(statement.sql)["query_class"].name in _MUTATING

    def _expect_one(self, sql: str) -> None:
        if self._raw.classify_query(sql)["statement_count"] > 1:
            raise _refusal(62, "Syntax error (Multi-statements are not allowed)", "SYNTAX_ERROR")

    def _text(self, sql: str) -> str:
        return bytes(self._raw.query(sql, "TSVRaw").bytes()).decode().strip()


class Stream:
    """A query's answer in chunks. The engine waits while nobody fetches."""

    def __init__(self, raw: Any, handle: Any, context: Context) -> None:
        self._raw, self._handle, self._context = raw, handle, context

    def fetch(self) -> Answer | None:
        """The next chunk; None at the end."""
        with _errors(self._context):
            result = self._raw.streaming_fetch_result(self._handle)
        if result is None or (not result.size() and not result.rows_read()):
            return None
        return _answer(result, bytes(result.bytes()))

    def close(self) -> None:
        """Let the query go; closing its connection without this takes seconds."""
        with contextlib.suppress(RuntimeError):
            self._raw.streaming_cancel_query(self._handle)


class Insert:
    """An INSERT whose data comes in pieces; the engine stores blocks as they fill."""

    def __init__(
        self, raw: Any, handle: Any, context: Context, expect_stored: Callable[[], None]
    ) -> None:
        self._raw, self._handle, self._context = raw, handle, context
        self._expect_stored = expect_stored

    def append(self, data: bytes) -> None:
        """More data, cut anywhere."""
        with _errors(self._context), self._causes():
            self._raw.insert_append(self._handle, data)

    def commit(self) -> Answer:
        """Store the rest. After this the rows are there."""
        crashpoint.reach("warehouse.insert.before")
        with _errors(self._context), self._causes():
            result = self._raw.insert_done(self._handle)
        self._expect_stored()
        crashpoint.reach("warehouse.insert.after")
        return _answer(result, b"")

    def cancel(self) -> None:
        """Store nothing more. Harmless after a failure."""
        with contextlib.suppress(RuntimeError):
            self._raw.insert_cancel(self._handle)

    @contextlib.contextmanager
    def _causes(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            self.cancel()  # an open insert keeps its connection from answering
            raise cause(self._raw, error) from error


def _tagged(sql: str, tag: str) -> str:
    # Behind the statement, so that positions in syntax errors stay right; before an INSERT,
    # because whatever follows VALUES is data.
    if not tag:
        return sql
    return f"{tag}\n{sql}" if first_word(sql) == "INSERT" else f"{sql}\n{tag}"


def _quoted_name(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _assignment(setting: tuple[str, str]) -> str:
    name, value = setting
    if not _NAME.fullmatch(name):
        raise _refusal(115, f"Unknown setting '{name}'", "UNKNOWN_SETTING")
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name} = '{quoted}'"


def _answer(result: Any, body: bytes) -> Answer:
    return Answer(
        body,
        read_rows=result.storage_rows_read(),
        read_bytes=result.storage_bytes_read(),
        written_rows=result.rows_written(),
        written_bytes=result.bytes_written(),
        result_rows=result.rows_read(),
        elapsed_s=result.elapsed(),
    )


@contextlib.contextmanager
def _errors(context: Context) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise _translated(error, context) from error


def _translated(error: RuntimeError, context: Context) -> WarehouseError:
    text = str(error)
    if context.tag:
        text = text.replace(context.tag, "")
    match = _CODE.search(text)
    return WarehouseError(text, int(match[1]) if match else 1002)


def _refusal(code: int, text: str, name: str) -> WarehouseError:
    return WarehouseError(f"Code: {code}. DB::Exception: {text}. ({name})", code)
