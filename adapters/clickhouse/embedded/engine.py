"""The one chDB engine of this process. Nothing else in the product imports chdb.

An engine owns its directory, so a file lock keeps a second process out. Every request gets a
connection of its own (70 µs), which is a session: its settings end with it. Calls release the
GIL and run in parallel on different connections.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import chdb

from adapters.clickhouse.embedded.statement import Statement
from core import crashpoint
from core.errors import UnavailableError, WarehouseError

# The bare connections: chdb's own wrapper adds notebook progress bars and nothing we need.
_chdb: Any = chdb._chdb

_CODE = re.compile(r"Code: (\d+)")
_SYNTAX_ERROR = 62
_NAME = re.compile(r"\w+")
_CONFIG = resources.files("adapters.clickhouse.embedded").joinpath("engine.xml")


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
    """Around one statement: its database, settings, bound parameters and default format."""

    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    default_format: str = "TabSeparated"


class Engine:
    """The engine on one directory. Thread-safe; statements block the calling thread.

    Raises:
        UnavailableError: another process has the directory.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(directory)
        config = directory / "engine.xml"
        config.write_text(_CONFIG.read_text("utf-8"))
        self._uri = f"{directory}/engine?log-level=error&config-file={config}"
        _chdb.set_signal_handlers_enabled(0)  # SIGTERM and SIGINT are ours: they drain
        self._root = _chdb.connect(self._uri)  # held so that the engine lives between requests
        self.version = self._text("SELECT version()")
        self.timezone = self._text("SELECT timezone()")
        self._text("SYSTEM FLUSH LOGS")  # makes the query log's table, which views read

    def run(self, statement: Statement, context: Context) -> Answer:
        """Run one statement.

        Raises:
            WarehouseError: the engine refused it; carries ClickHouse's code.
        """
        with self._connection() as connection, _errors():
            _prepare(connection, context)
            if statement.input_format:
                return _insert(connection, statement)
            return _query(connection, statement.sql, context)

    def classify(self, sql: str) -> str:
        """The engine's class of a statement.

        Returns:
            READ_ONLY, MUTATING, MUTATING_GLOBAL, CONTROL or UNKNOWN.

        Raises:
            WarehouseError: the engine cannot read it.
        """
        with self._connection() as connection, _errors():
            return str(connection.classify_query(sql)["query_class"].name)

    @cached_property
    def table_functions(self) -> frozenset[str]:
        """Names of the engine's table functions, in lower case."""
        return frozenset(self._text("SELECT lower(name) FROM system.table_functions").split())

    def close(self) -> None:
        """Let the engine go. No statement may be running."""
        self._root.close()
        os.close(self._lock)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Any]:
        connection = _chdb.connect(self._uri)
        try:
            yield connection
        finally:
            connection.close()

    def _text(self, sql: str) -> str:
        return str(self._root.query(sql, "TabSeparated").bytes().decode().strip())


def _lock(directory: Path) -> int:
    file = directory / "lock"
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = file.read_text().strip() or "unknown"
        os.close(descriptor)
        raise UnavailableError(
            f"the warehouse in {directory} is already open in process {owner}: "
            "use that one, stop it, or choose another TICKHOUSE_HOME"
        ) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def _prepare(connection: Any, context: Context) -> None:
    if context.database and context.database != "default":
        connection.query("USE `" + context.database.replace("`", "\\`") + "`", "Null")
    if context.settings:
        connection.query("SET " + ", ".join(map(_assignment, context.settings.items())), "Null")


def _assignment(setting: tuple[str, str]) -> str:
    name, value = setting
    if not _NAME.fullmatch(name):
        raise WarehouseError(
            f"Code: 115. DB::Exception: Unknown setting '{name}'. (UNKNOWN_SETTING)", 115
        )
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name} = '{quoted}'"


def _query(connection: Any, sql: str, context: Context) -> Answer:
    if connection.classify_query(sql)["statement_count"] > 1:
        raise WarehouseError(
            "Code: 62. DB::Exception: Syntax error (Multi-statements are not allowed). "
            "(SYNTAX_ERROR)",
            _SYNTAX_ERROR,
        )
    result = connection.query(sql, context.default_format, params=dict(context.parameters))
    return _answer(result, bytes(result.bytes()))


def _insert(connection: Any, statement: Statement) -> Answer:
    handle = connection.send_insert(statement.sql, statement.input_format)
    try:
        connection.insert_append(handle, statement.data)
        crashpoint.reach("warehouse.insert.before")
        result = connection.insert_done(handle)
    except RuntimeError:
        with contextlib.suppress(RuntimeError):  # it has failed already; only let go of it
            connection.insert_cancel(handle)
        raise
    crashpoint.reach("warehouse.insert.after")
    return _answer(result, b"")


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
def _errors() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        match = _CODE.search(text)
        raise WarehouseError(text, int(match[1]) if match else 1002) from error
