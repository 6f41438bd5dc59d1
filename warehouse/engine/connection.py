"""One engine connection, which is one ClickHouse session.

Settings and database of a request hold for that request only. A connection that serves one
request just sets them; one that is kept for a `session_id` puts back what the session had, but
only when the next request differs, because a client sends the same settings every time.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from core.errors import WarehouseError
from warehouse.engine.answer import (
    Answer,
    Context,
    answer_of,
    errors,
    refusal,
    translated,
)
from warehouse.engine.stored import FailedInserts
from warehouse.engine.transfer import Insert, Stream, cancel_insert
from warehouse.protocol.multipart import ExternalTable
from warehouse.protocol.statement import Statement, first_word, without_format

__all__ = ["Answer", "Connection", "Context", "Insert", "Stream"]

_NAME = re.compile(r"\w+")
_NOT_STREAMED = "Streaming query is not supported"
_MUTATING = ("MUTATING", "MUTATING_GLOBAL")


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
        with errors(context):
            self._use(context.database)
            if self._kept:
                self._exchange_settings(statement, dict(context.settings))
                self._create(context.tables)
                return
            # How external data is read is a matter of settings, and readonly=1 lets nobody create.
            first = {k: v for k, v in context.settings.items() if k != "readonly"}
            if context.tables and first:
                self._set(first)
            self._create(context.tables)
            if context.settings and not (context.tables and first == context.settings):
                self._set(context.settings)

    def finish(self, statement: Statement, context: Context) -> None:
        """After the statement: external tables go, SET and USE become the session's own."""
        if not self._kept:
            return
        with errors(context):
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
        with errors(context):
            result = self._raw.query(
                _bytes(_tagged(statement.sql, context.tag)),
                context.default_format,
                params=dict(context.parameters),
            )
            return answer_of(result, bytes(result.bytes()))

    def stream(self, statement: Statement, context: Context) -> Stream | None:
        """Start a query whose answer is fetched in chunks; None if the engine cannot."""
        self._expect_one(statement.sql)
        try:
            handle = self._raw.send_query(
                _bytes(_tagged(statement.sql, context.tag)),
                context.default_format,
                params=dict(context.parameters),
            )
        except (RuntimeError, UnicodeDecodeError) as error:
            if _NOT_STREAMED in str(error):
                return None
            raise translated(error, context) from error
        return Stream(self._raw, handle, context)

    def insert(self, statement: Statement, context: Context, verify: bool = True) -> Insert:
        """Start an INSERT whose data comes in pieces. verify: ask whether it is stored (stored.py);
        only a benchmark does without.
        """
        mark = self._failed.mark()

        def expect_stored() -> None:
            if verify:
                self._failed.expect_stored(self._raw, mark)

        with errors(context):
            sql = _bytes(_tagged(statement.sql, context.tag))
            handle = self._raw.send_insert(sql, statement.input_format)
        return Insert(self._raw, handle, context, expect_stored)

    def columns(self, statement: Statement, context: Context) -> list[tuple[str, str]]:
        """Name and type of each column a query answers, without running it."""
        with errors(context):
            result = self._raw.query(
                _bytes(f"DESCRIBE TABLE ({without_format(statement.sql)}\n)"),
                "JSONCompactEachRow",
                params=dict(context.parameters),
            )
            rows = [json.loads(line) for line in bytes(result.bytes()).splitlines()]
        return [(str(row[0]), str(row[1])) for row in rows]

    def close(self) -> None:
        """End the session."""
        self._raw.close()

    def _create(self, tables: tuple[ExternalTable, ...]) -> None:
        for table in tables:
            name = f"`{table.name}`"
            self._raw.query(brought(table), "Null")
            handle = self._raw.send_insert(f"INSERT INTO {name} ", table.format)
            try:
                self._raw.insert_append(handle, table.data)
                self._raw.insert_done(handle)
            except RuntimeError:
                cancel_insert(self._raw, handle)
                raise

    def _use(self, database: str) -> None:
        wanted = database or self._own_database
        if wanted != self._database:
            self._raw.query(f"USE {_quoted_name(wanted)}", "Null")
            self._database = wanted

    def _exchange_settings(self, statement: Statement, wanted: dict[str, str]) -> None:
        # The engine cannot leave `readonly` again, so a kept connection is guarded here.
        if wanted.pop("readonly", "0") != "0" and self._changes(statement):
            raise refusal(164, "Cannot execute query in readonly mode", "READONLY")
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
        values = dict(line.split("\t", 1) for line in lines)
        missing = sorted(names - values.keys())
        if missing:
            raise refusal(115, f"Unknown setting '{missing[0]}'", "UNKNOWN_SETTING")
        return values

    def _set(self, settings: Mapping[str, str]) -> None:
        self._raw.query("SET " + ", ".join(map(_assignment, settings.items())), "Null")

    def _changes(self, statement: Statement) -> bool:
        if statement.input_format:
            return True
        return self._raw.classify_query(_bytes(statement.sql))["query_class"].name in _MUTATING

    def _expect_one(self, sql: str) -> None:
        if self._raw.classify_query(_bytes(sql))["statement_count"] > 1:
            raise refusal(62, "Syntax error (Multi-statements are not allowed)", "SYNTAX_ERROR")

    def _text(self, sql: str) -> str:
        return bytes(self._raw.query(sql, "TSVRaw").bytes()).decode().strip()


def brought(table: ExternalTable) -> str:
    """The statement that makes an external table."""
    return f"CREATE TEMPORARY TABLE `{table.name}` ({table.structure}) ENGINE = Memory"


def _tagged(sql: str, tag: str) -> str:
    # Behind the statement, so that positions in syntax errors stay right; before an INSERT,
    # because whatever follows VALUES is data.
    if not tag:
        return sql
    return f"{tag}\n{sql}" if first_word(sql) == "INSERT" else f"{sql}\n{tag}"


def _bytes(sql: str) -> bytes:
    # A literal may hold bytes that are no UTF-8 (see statement.split).
    return sql.encode("utf-8", "surrogateescape")


def _quoted_name(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _assignment(setting: tuple[str, str]) -> str:
    name, value = setting
    if not _NAME.fullmatch(name):
        raise refusal(115, f"Unknown setting '{name}'", "UNKNOWN_SETTING")
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name} = '{quoted}'"
