"""One run of `server-check`: databases of its own, made, used by each part, and dropped.

A part that fails is told with what to do about it, and the next goes on, so that one run says all.
The databases have a name that was free, and are dropped whatever happens.
"""

import re
import secrets
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse import client
from cli.diagnostics.check import Check, result_of
from core.errors import TickhouseError, WarehouseError
from core.sections import ClickhouseSettings

_PREFIX = "tickhouse_check_"
_NOT_GRANTED = frozenset({497, 164})  # not enough privileges; a user who may only read
_EXISTS = 82

Part = Callable[["ServerTrial"], Iterator[Check]]


class ServerTrial:
    """One run against one server, or one server of a cluster."""

    def __init__(self, where: ClickhouseSettings) -> None:
        self.theirs = where.database
        self.name = _PREFIX + secrets.token_hex(4)
        self.where = msgspec.structs.replace(where, database=self.name)
        self.version = ""
        self.left: list[str] = []  # what could not be dropped
        self._ours = False  # whether databases of this name are
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """Connected, to databases of our own."""
        if self._client is None:
            self._client = client.connect(self.where)
            self._client.database = None  # there is none yet
        return self._client

    def run(self, first_part: Part, parts: Mapping[str, Part]) -> Generator[Check]:
        """Every part in turn; none but the first where that finds no server that will do."""
        try:
            first = list(_guarded("server", first_part, self))
            yield from first
            if any(check.result == "failed" for check in first):
                return
            if failed := self._begin():
                yield failed
                return
            for name, part in parts.items():
                yield from _guarded(name, part, self)
        finally:
            self._clean()
        says = ", ".join(self.left)
        remedy = f"drop these by hand: {says}"
        yield result_of("left behind", not self.left, says or "nothing", remedy, "failed")

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()

    def _begin(self) -> Check | None:
        """Make the first; why not. What is there already is nobody's to drop here."""
        try:
            if self.databases():
                return Check("database", "failed", f"{self.name} exists", "run it again")
            self._ours = True
            with client.errors_translated():
                self.client.command(f"CREATE DATABASE `{self.name}`")
        except TickhouseError as error:
            if isinstance(error, WarehouseError) and error.code == _EXISTS:
                self._ours = False
            return _failed("database", error)
        self.client.database = self.name
        return None

    def databases(self) -> list[str]:
        """Ours that are there."""
        with client.errors_translated():
            rows = self.client.query(
                "SELECT name FROM system.databases WHERE startsWith(name, {name:String})",
                parameters={"name": self.name},
            ).result_rows
        return [str(name) for (name,) in rows]

    def _clean(self) -> None:
        """Drop what is ours, and remember what could not be dropped."""
        if not self._ours:
            return
        self.client.database = None
        try:
            for name in self.databases():
                with client.errors_translated():
                    self.client.command(f"DROP DATABASE IF EXISTS `{name}` SYNC")
            self.left = self.databases()
        except TickhouseError as error:
            self.left = [f"databases {self.name}*, as the server did not drop them: {line(error)}"]

    def rows(self, sql: str) -> list[Sequence[Any]]:
        """The answer to a statement."""
        with client.errors_translated():
            return list(self.client.query(sql).result_rows)

    def number(self, sql: str) -> int:
        """The one number that a statement answers."""
        return int(self.rows(sql)[0][0])

    def problem(self, sql: str, allowed: int = 0) -> str:
        """What the server says against a statement; nothing when it is answered."""
        try:
            self.rows(sql)
        except WarehouseError as error:
            return "" if allowed and error.code == allowed else line(error)
        return ""


def _guarded(name: str, part: Part, trial: ServerTrial) -> Iterator[Check]:
    try:
        yield from part(trial)
    except TickhouseError as error:
        yield _failed(name, error)


def _failed(name: str, error: Exception) -> Check:
    remedy = "look at the server's log; send this verdict back"
    if isinstance(error, WarehouseError) and error.code in _NOT_GRANTED:
        remedy = (
            "grant it to this user, or run the check as one with role tickhouse_writer "
            "(containers/clickhouse-roles.sql)"
        )
    return Check(name, "failed", line(error), remedy)


def line(error: Exception) -> str:
    """An error on one line, without the address."""
    return " ".join(re.sub(r"\(for url [^)]*\)", "", str(error)).split())[:300]
