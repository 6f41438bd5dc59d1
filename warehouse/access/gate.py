"""Who is this, and may they? The one question the server asks before each statement.

Checking a password takes a tenth of a second on purpose, so who passed is remembered, as a keyed
digest in memory only, and so is who failed, until the identity file changes. The file is looked at
on each request: a user who is removed is out at once.
"""

import hashlib
import hmac
import os
import secrets
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import msgspec

from core import home_users, identity
from core.errors import SettingsError, WarehouseError
from core.identity import ANYBODY, User
from warehouse.access import bounds, nobody, parsed, policy
from warehouse.access.credentials import credentials, redacted
from warehouse.access.parsed import Shape
from warehouse.access.parser import Parser
from warehouse.engine.answer import Context, refusal
from warehouse.engine.connection import brought
from warehouse.protocol.statement import Statement, first_word

AUTHENTICATION_FAILED = 516
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MOST_REMEMBERED = 4096

_LONGEST_REMEMBERED, _MOST_SHAPES = 16_384, 2048
_NOBODY_SIGNED_IN = (
    "Nobody signed in, and who does not may only read: run `tickhouse sql`, which asks as the "
    "home's owner, or sign in as who `tickhouse users owner` names"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One user's leave for one request. Sessions must be kept apart by `user.name`."""

    user: User
    _parser: Parser
    _shape: Callable[[str], Shape]

    def context(self, statement: Statement, requested: Context) -> Context:
        """Let the statement pass; what it runs with, within the user's bounds.

        Raises:
            WarehouseError: the user may not run it.
        """
        try:
            return self._allowed(statement, requested)
        except WarehouseError as error:
            if self.user is ANYBODY and error.code in (policy.ACCESS_DENIED, policy.READONLY):
                raise WarehouseError(f"{error} {_NOBODY_SIGNED_IN}", error.code) from error
            raise

    def settings(self, requested: Mapping[str, str]) -> dict[str, str]:
        """The settings to run it with: those asked for, within the user's bounds."""
        return bounds.bound(self.user, dict(requested))

    def _allowed(self, statement: Statement, requested: Context) -> Context:
        user, settings = self.user, self.settings(requested.settings)
        if user.role == "admin":
            self._check_for_everybody(statement, requested)
            return replace(requested, settings=settings)
        policy.check_settings(bounds.asked_freely(user, requested.settings), user)
        shape = self._understood(statement)
        place = policy.Place(requested.database, requested.parameters, self._parser.table_functions)
        if not policy.is_word_for_word(statement.sql, shape, user):
            policy.check(shape, user, place)
        _expect_first_word(statement, shape)
        for table in requested.tables:
            table_shape = self._shape(brought(table))
            policy.check_brought(table_shape, table.format, user)
        if not shape.evaluates:
            settings |= bounds.LITERALS_ONLY
        self._check_for_everybody(statement, requested)
        return replace(requested, settings=settings)

    def _check_for_everybody(self, statement: Statement, requested: Context) -> None:
        nobody.check(statement, self._parser)
        if requested.settings.get("readonly", "0") != "0":
            nobody.check_reading(statement, self._parser)

    def _understood(self, statement: Statement) -> Shape:
        sql, apart = statement.sql, bool(statement.input_format)
        return self._shape(f"{sql}\nFORMAT Native" if apart else sql)


def _expect_first_word(statement: Statement, shape: Shape) -> None:
    # A connection goes by the first word: what changes a session must be known as such there.
    word = first_word(statement.sql)
    known = (word == "SET", word == "USE", bool(statement.input_format))
    inserts = bool(statement.input_format) and shape.kind == "InsertQuery"
    if known != (shape.kind == "SetQuery", shape.kind == "UseQuery", inserts):
        raise parsed.unreadable("what stands before the first word")


class Gate:
    """Users of one identity file, re-read when it changes. Thread-safe.

    Args:
        file: the identity file; it need not exist.
        parser: the engine's own, which makes sure what a statement is.
        own: the home's processes by user name, with their passwords; they may sign in always.

    Raises:
        SettingsError: the file exists and is malformed.
    """

    def __init__(
        self, file: Path, parser: Parser, own: Mapping[str, tuple[User, str]] | None = None
    ) -> None:
        self._file, self._parser = file, parser
        self._remembered = lru_cache(_MOST_SHAPES)(self._parse)
        self._key = secrets.token_bytes(32)
        # No scrypt: these are 256 random bits, which nobody guesses.
        self._own = {
            name: (user, self._digest(name, password))
            for name, (user, password) in (own or {}).items()
        }
        self._lock = threading.Lock()
        self._once_seen = identity.exists(file)
        self._stamp: tuple[int, ...] = ()
        self._users: dict[str, User] = {}
        self._passed: dict[bytes, User] = {}
        self._failed: dict[bytes, None] = {}
        self._decoy = identity.hash_of_nobody()
        if self._once_seen:
            self._users, self._stamp = identity.load(file), _stamp(file)

    def recall(self, parameters: Mapping[str, str], headers: Mapping[str, str]) -> Grant | None:
        """The leave of who passed before, at no cost; None if it has to be checked.

        Raises:
            WarehouseError: code 516, this name failed with this password before.
        """
        name, password = credentials(parameters, headers)
        self._refresh()
        process, _, behalf = name.partition("/")  # no user's name holds one
        if process in self._own:
            return self._grant(name, self._process(process, password, behalf))
        digest = self._digest(name, password)
        user = self._passed.get(digest)
        if not self._once_seen:
            user = ANYBODY if (name, password) == ("default", "") else None
            if user is None:
                self._note(name, digest, self._failed)
        return self._grant(name, user) if user or digest in self._failed else None

    def admit(self, parameters: Mapping[str, str], headers: Mapping[str, str]) -> Grant:
        """The leave of whoever sent a request. Takes a tenth of a second.

        Raises:
            WarehouseError: code 516, for a wrong password and an unknown user alike.
        """
        known = self.recall(parameters, headers)
        if known is not None:
            return known
        name, password = credentials(parameters, headers)
        return self._grant(name, self._checked(name, password))

    def grant(self, user: User) -> Grant:
        """The leave of this user, who is known already."""
        return Grant(user, self._parser, self._shape)

    def _shape(self, sql: str) -> Shape:
        # A shape follows from the text alone, so it may be remembered; whoever asks is judged anew.
        return self._remembered(sql) if len(sql) <= _LONGEST_REMEMBERED else self._parse(sql)

    def _parse(self, sql: str) -> Shape:
        return parsed.shape_of(sql, self._parser.tree, self._parser.written)

    def _grant(self, name: str, user: User | None) -> Grant:
        if user is None:
            raise refusal(
                AUTHENTICATION_FAILED,
                f"{redacted(name)[:64]}: Authentication failed: password is incorrect, or there is "
                "no user with such name",
                "AUTHENTICATION_FAILED",
            )
        return self.grant(user)

    def _process(self, name: str, password: str, behalf: str) -> User | None:
        """One of the home's processes; for somebody it reads with their filters and limits."""
        (user, expected), digest = self._own[name], self._digest(name, password)
        if not hmac.compare_digest(digest, expected):
            self._note(name, digest, self._failed)
            return None
        if not behalf:
            return user
        person = self._users.get(behalf) if name in home_users.ASK_FOR_PEOPLE else None
        if person is None or bounds.only_reads(person):
            return person
        return msgspec.structs.replace(person, role="analyst")

    def _checked(self, name: str, password: str) -> User | None:
        passed, failed, users = self._passed, self._failed, self._users
        user = users.get(name)
        # Unknown users take as long as known ones, or names could be guessed by the clock.
        good = identity.matches(user.password if user else self._decoy, password)
        digest = self._digest(name, password)
        # Into the dictionaries of these users: a new file has new ones.
        if user is None or not good:
            self._note(name, digest, failed)
            return None
        if len(passed) < _MOST_REMEMBERED:
            passed[digest] = user
        return user

    def _note(self, name: str, digest: bytes, failed: dict[bytes, None]) -> None:
        if digest in failed:
            return  # once in the log: a client that asks on and on must not fill the disk
        if len(failed) >= _MOST_REMEMBERED:
            failed.clear()
        failed[digest] = None
        shown = redacted(name)[:64]
        print(f"warehouse: authentication of {shown!r} failed", file=sys.stderr, flush=True)

    def _digest(self, name: str, password: str) -> bytes:
        secret = f"{name}\0{password}".encode("utf-8", "surrogateescape")
        return hashlib.blake2b(secret, key=self._key).digest()

    def _refresh(self) -> None:
        stamp = _stamp(self._file)
        if stamp == self._stamp:
            return
        with self._lock:
            if stamp == self._stamp:
                return
            self._once_seen = True
            try:
                users = identity.load(self._file)
            except SettingsError as error:
                users = {}  # better nobody than who was thrown out
                print(f"warehouse: nobody is let in: {error}", file=sys.stderr, flush=True)
            # In this order: who sees the new dictionaries sees the new users too.
            self._users = users
            self._passed, self._failed = {}, {}
            self._stamp = stamp


def check_listen(host: str, file: Path) -> None:
    """Refuse an address that others reach while anybody may do anything.

    Raises:
        SettingsError: not loopback, and there is no identity file, or nobody in it.
    """
    if host in _LOOPBACK:
        return
    if not file.exists() or not identity.load(file):
        raise SettingsError(
            f"address {host} can be reached by others and {file} names no user: "
            "first `tickhouse users add NAME --role admin`, or listen on 127.0.0.1"
        )


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        status = os.stat(file)
    except FileNotFoundError:
        return ()
    return (status.st_mtime_ns, status.st_size, status.st_ino)
