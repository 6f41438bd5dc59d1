"""The one chDB engine of this process. Nothing else in the product works with chdb.

An engine owns its directory, so a file lock keeps a second process out. Every request gets a
connection of its own (70 µs), which is a session: its settings end with it. Calls release the
GIL and run in parallel on different connections.
"""

import contextlib
import os
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from core import file_lock
from core.errors import UnavailableError, WarehouseError
from warehouse.access.parser import Parser
from warehouse.engine import library
from warehouse.engine.connection import Answer, Connection, Context
from warehouse.engine.stored import FailedInserts
from warehouse.engine.unfinished import forget_unplaced
from warehouse.protocol.statement import Statement

_chdb: Any = library.load()

__all__ = ["Answer", "Chdb", "Context"]

_CONFIG = resources.files("warehouse.engine").joinpath("engine.xml")
#: Of every session, until it says otherwise: looking for constants in chains of comparisons hashes
#: the whole tree below each `and`, a third of what it takes to plan the largest marts.
_PLANNED = "optimize_and_compare_chain=0"


class Chdb:
    """The engine on one directory. Thread-safe; statements block the calling thread.

    memory_mib: of all statements together, merges too; 0 is half of the machine's.

    Raises:
        UnavailableError: another process has the directory.
    """

    def __init__(self, directory: Path, memory_mib: int = 0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(directory)
        config = directory / "engine.xml"
        config.write_text(_CONFIG.read_text("utf-8").replace("MEMORY", str(memory_mib << 20)))
        self._uri = f"{directory}/engine?log-level=error&config-file={config}&{_PLANNED}"
        _chdb.set_signal_handlers_enabled(0)  # SIGTERM and SIGINT are ours: they drain
        self._failed = FailedInserts()
        forget_unplaced(directory / "engine" / "store")
        self._root = _chdb.connect(self._uri)  # held so that the engine lives between requests
        self.parser = Parser(lambda: _chdb.connect(self._uri))
        self.version = self._text("SELECT version()")
        self.timezone = self._text("SELECT timezone()")
        self._text("SYSTEM FLUSH LOGS")  # makes the query log's table, which views read

    def run(self, statement: Statement, context: Context) -> Answer:
        """Run one statement on a connection of its own.

        Raises:
            WarehouseError: the engine refused it; carries ClickHouse's code.
        """
        connection = self.connect()
        try:
            connection.prepare(statement, context)
            return connection.run(statement, context)
        finally:
            connection.close()

    def describe(self, statement: Statement, context: Context) -> list[tuple[str, str]]:
        """Name and type of a query's columns, on a connection of its own."""
        connection = self.connect()
        # Set with the others: in the statement a reader (readonly = 1) may not set it.
        plain = {**context.settings, "print_pretty_type_names": "0"}
        try:
            connection.prepare(statement, replace(context, settings=plain))
            return connection.columns(statement, context)
        finally:
            connection.close()

    def connect(self, kept: bool = False) -> Connection:
        """A new session. `kept` for one that serves several requests."""
        return Connection(_chdb.connect(self._uri), self._failed, kept)

    def kill(self, tag: str) -> None:
        """Cancel the running statement that carries this tag; does not wait for its end."""
        quoted = tag.replace("\\", "\\\\").replace("'", "\\'")
        sql = f"KILL QUERY WHERE position(query, '{quoted}') > 0 ASYNC"
        with contextlib.suppress(WarehouseError):  # it may have ended by itself
            self.run(Statement(sql), Context())

    def names(self, table: str) -> set[str]:
        """Names that a table of the engine's own lists, in lower case."""
        return set(self._text(f"SELECT lower(name) FROM system.{table}").split("\n"))

    def close(self) -> None:
        """Let the engine go. No statement may be running."""
        self.parser.close()
        self._root.close()
        os.close(self._lock)

    def _text(self, sql: str) -> str:
        return str(self._root.query(sql, "TabSeparated").bytes().decode().strip())


def _lock(directory: Path) -> int:
    path = directory / "lock"
    held = file_lock.hold(path)
    if held is None:
        raise UnavailableError(
            f"the warehouse in {directory} is already open in process"
            f" {file_lock.holder(path) or 'unknown'}:"
            " use that one, stop it, or choose another TICKHOUSE_HOME"
        )
    return held
