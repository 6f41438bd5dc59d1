"""Who asks: the key of a request, its person, and what of it that person may do now."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from api.keys import ApiKey, KeyRing
from api.problems import ProblemError
from api.rate import Rate
from api.scopes import OF_ROLE, Scope
from core import identity
from core.clock import Clock
from core.errors import SettingsError
from core.identity import User
from core.watched_file import WatchedFile

_BEARER = {"WWW-Authenticate": 'Bearer realm="tickhouse"'}
_log = logging.getLogger("api")


class Caller(NamedTuple):
    """Somebody who showed a key.

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
    """

    def __init__(
        self, home: Path, ring: KeyRing, rate: Rate, clock: Clock, look_s: float = 0
    ) -> None:
        self._ring, self._rate, self._clock = ring, rate, clock
        self._people = _People(identity.path_in(home), look_s)

    def caller(self, authorization: Sequence[bytes]) -> Caller:
        """Who sent these headers `Authorization`.

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
        self._slow_down(key)
        scopes = frozenset(key.scopes) & OF_ROLE[user.role] if user else frozenset(key.scopes)
        filtered = bool(user and user.row_filters)
        return Caller(key.key_id, key.user, scopes, filtered, _bounds_of(user))

    def is_still(self, authorization: Sequence[bytes]) -> bool:
        """Whether these headers are still somebody's, at no cost to their rate."""
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

    def _slow_down(self, key: ApiKey) -> None:
        wait_s = self._rate.wait_s(key.key_id, key.per_minute)
        if wait_s:
            whole_s = str(-int(-wait_s // 1))
            raise ProblemError(
                429, "rate", f"this key may send {key.per_minute} requests in a minute",
                {"Retry-After": whole_s},
            )  # fmt: skip


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


def _bounds_of(user: User | None) -> str:
    if user is None:
        return ""
    bounds = (sorted(user.row_filters.items()), user.max_seconds, user.max_memory_mib)
    return repr(bounds) if any(bounds) else ""


def _nobody(kind: str, detail: str) -> ProblemError:
    return ProblemError(401, kind, detail, _BEARER)
