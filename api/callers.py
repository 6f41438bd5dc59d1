"""Who asks: the key of a request or its person, and what of it that person may do now."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from api.keys import ApiKey, KeyRing
from api.persons import PREFIX, Persons, cookie_of
from api.problems import ProblemError
from api.rate import Rate
from api.scopes import OF_ROLE, Scope
from core import identity
from core.clock import Clock
from core.errors import SettingsError
from core.identity import User
from core.watched_file import WatchedFile

_BEARER = {"WWW-Authenticate": 'Bearer realm="tickhouse"'}
_PER_MINUTE = 600  # of a person without a key
_log = logging.getLogger("api")


class Caller(NamedTuple):
    """Somebody who showed a key, or signed in.

    `filtered`: the warehouse leaves out some rows for them. `bounds`: what holds for them there
    and not for every analyst, as a text that changes with it; "" when nothing does.
    """

    key_id: str
    user: str
    scopes: frozenset[Scope]
    filtered: bool
    bounds: str


class Callers:
    """Tells callers by their keys, and holds each to its rate. Used from one event loop.

    Args:
        look_s: seconds within which the home's users are not looked at again.
        persons: who asks without a key; None: nobody may.
    """

    def __init__(
        self, home: Path, ring: KeyRing, rate: Rate, clock: Clock, look_s: float = 0,
        persons: Persons | None = None,
    ) -> None:  # fmt: skip
        self._ring, self._rate, self._clock = ring, rate, clock
        self.persons, self._people = persons, _People(identity.path_in(home), look_s)

    async def admitted(self, authorization: Sequence[bytes], cookies: bytes) -> Caller:
        """Who sent these headers.

        Args:
            cookies: of a request that only reads; empty for any other.

        Raises:
            ProblemError: as `caller`.
        """
        text = _text_of(authorization)
        if self.persons and text.startswith(PREFIX):
            return self._person(await self.persons.renewed(text), "session-unknown")
        if self.persons and text.count(".") == 2:
            return self._person(await self.persons.of_token(text), "token-unknown")
        if self.persons and cookies and not authorization:
            token = cookie_of(cookies.decode("latin-1"))
            if token:
                return self._person(await self.persons.renewed(token), "session-unknown")
        return self.caller(authorization)

    def caller(self, authorization: Sequence[bytes]) -> Caller:
        """Whose key these headers `Authorization` show.

        Raises:
            ProblemError: 401 nobody who is known, or not any more; 429 too soon; 503 the keys, or
                the users, cannot be read.
        """
        key = self._known(authorization)
        if self._clock.now_us() >= key.until_us:
            raise _nobody("key-ended", "this key has ended: tickhouse api-keys create")
        user = self._people.user(key.user)
        if user is None and self._people.are_known:
            raise _nobody("key-unknown", "whose key this is is no user of the home any more")
        self._slow_down(key.key_id, key.per_minute)
        scopes = frozenset(key.scopes) & OF_ROLE[user.role] if user else frozenset(key.scopes)
        filtered = bool(user and user.row_filters)
        return Caller(key.key_id, key.user, scopes, filtered, _bounds_of(user))

    def _person(self, name: str | None, kind: str) -> Caller:
        """Somebody by name, with all that their role may."""
        user = self._people.user(name) if name else None
        if user is None:
            raise _nobody(kind, "this is nobody's who is a user of this home now: sign in again")
        self._slow_down(f"person {user.name}", _PER_MINUTE)
        bounds, filtered = _bounds_of(user), bool(user.row_filters)
        return Caller("", user.name, OF_ROLE[user.role], filtered, bounds)

    def is_still(self, authorization: Sequence[bytes], cookies: str = "") -> bool:
        """Whether these headers are still somebody's, at no cost to their rate."""
        text = _text_of(authorization)
        if self.persons and (text.startswith(PREFIX) or text.count(".") == 2):
            is_session = text.startswith(PREFIX)
            of = self.persons.of_session if is_session else self.persons.of_known_token
            return self._people.user(of(text) or "") is not None
        if self.persons and cookies:
            name = self.persons.of_session(cookie_of(cookies))
            return self._people.user(name or "") is not None
        try:
            key = self._known(authorization)
            user = self._people.user(key.user)
        except ProblemError:
            return False
        known = user is not None or not self._people.are_known
        return known and self._clock.now_us() < key.until_us

    def _known(self, authorization: Sequence[bytes]) -> ApiKey:
        if len(authorization) != 1:
            raise _nobody("key-missing", "send one header: Authorization: Bearer KEY")
        scheme, _, text = authorization[0].decode("latin-1").partition(" ")
        key = self._ring.key(text.strip()) if scheme.lower() == "bearer" else None
        if self._ring.problem:
            _log.error("%s", self._ring.problem)
            raise ProblemError(503, "keys", "the home's keys cannot be read: see the log")
        if key is None:
            raise _nobody("key-unknown", "this is no key of this home: tickhouse api-keys list")
        return key

    def _slow_down(self, whose: str, per_minute: int) -> None:
        wait_s = self._rate.wait_s(whose, per_minute)
        if wait_s:
            whole_s = str(-int(-wait_s // 1))
            detail = f"who asks may send {per_minute} requests in a minute"
            raise ProblemError(429, "rate", detail, {"Retry-After": whole_s})


class _People:
    """Users of the home as their file stands."""

    def __init__(self, path: Path, look_s: float) -> None:
        self._path, self._file = path, WatchedFile(path, look_s)
        self._users: dict[str, User] = {}
        self.are_known = False

    def user(self, name: str) -> User | None:
        self._refresh()
        return self._users.get(name)

    def _refresh(self) -> None:
        if not self._file.has_changed():
            return
        # Once there were users, a file that is gone lets nobody in, as at the warehouse.
        self._users, self.are_known = {}, True
        try:
            self._users = identity.load(self._path)
        except SettingsError as error:
            _log.error("nobody is let in: %s", error)


def _text_of(authorization: Sequence[bytes]) -> str:
    """What one header shows as a bearer's; "" for anything else."""
    if len(authorization) != 1:
        return ""
    scheme, _, text = authorization[0].decode("latin-1").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def _bounds_of(user: User | None) -> str:
    if user is None:
        return ""
    bounds = (sorted(user.row_filters.items()), user.max_seconds, user.max_memory_mib)
    return repr(bounds) if any(bounds) else ""


def _nobody(kind: str, detail: str) -> ProblemError:
    return ProblemError(401, kind, detail, _BEARER)
