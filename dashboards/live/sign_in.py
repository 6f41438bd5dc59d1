"""Who may do what: names and passwords of the identity file, sessions, slow answers to guesses.

A failure makes the next attempt for the same name wait twice as long, up to a minute, whatever
the password; an unknown name takes as long as a wrong password. Sessions live in memory: a
restart of the page signs everybody out.
"""

import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core import identity
from core.clock import Clock
from core.errors import SettingsError
from core.identity import MAY_ALLOW_RISK, Role

SESSION_US = 15 * 60_000_000
_LONGEST_US = 8 * 3_600_000_000  # of one that is renewed by being used
_LONGEST_WAIT_S = 60
_FREE_TRIES = 3


class SignedIn(msgspec.Struct, frozen=True):
    """Somebody signed in. `token` is the cookie's, `proof` goes in a header with each order."""

    token: str
    proof: str
    name: str
    until_us: int
    role: Role
    began_us: int


class RefusedError(Exception):
    """A sign-in that failed. `wait_s`: before this name may try again."""

    def __init__(self, text: str, wait_s: int = 0) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class SignIn:
    """Sign-in against the home's identity file. Blocking (one guess costs some 100 ms)."""

    def __init__(self, home: Path, clock: Clock) -> None:
        self._path, self._clock = identity.path_in(home), clock
        self._sessions: dict[str, SignedIn] = {}
        self._failures: dict[str, tuple[int, int]] = {}  # name -> count, not before

    def sign_in(self, name: str, password: str, roles: Sequence[Role] = MAY_ALLOW_RISK) -> SignedIn:
        """A new session of somebody with one of the roles.

        Raises:
            RefusedError: no users yet, too soon after a failure, or name, password or role wrong.
        """
        users = self._users()
        now_us = self._clock.now_us()
        count, not_before_us = self._failures.get(name, (0, 0))
        if now_us < not_before_us:
            wait_s = -((now_us - not_before_us) // 1_000_000)
            raise RefusedError(f"too many wrong passwords: wait {wait_s} s", wait_s)
        user = users.get(name)
        hashed = user.password if user else identity.hash_of_nobody()
        if not identity.matches(hashed, password) or user is None:
            raise self._failed(name, count + 1, now_us)
        self._failures.pop(name, None)
        if user.role not in roles:
            may = " or ".join(roles)
            raise RefusedError(f"a user of role {user.role} may not do this; one of role {may} may")
        session = SignedIn(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), name, now_us + SESSION_US,
            user.role, now_us,
        )  # fmt: skip
        self._forget_ended(now_us)
        self._sessions[session.token] = session
        return session

    def session(
        self, token: str, proof: str, roles: Sequence[Role] = MAY_ALLOW_RISK
    ) -> SignedIn | None:
        """The session of a cookie and its header; None when either is wrong or it has ended."""
        session = self.visitor(token, roles)
        if session is None:
            return None
        return session if hmac.compare_digest(session.proof.encode(), proof.encode()) else None

    def visitor(self, token: str, roles: Sequence[Role]) -> SignedIn | None:
        """The session of a cookie alone: enough to read, which no other site's page can."""
        session = self._sessions.get(token)
        if session is None or self._clock.now_us() > session.until_us:
            return None
        return session if session.role in roles else None

    def renew(self, session: SignedIn) -> None:
        """A session that is used goes on, for eight hours at most."""
        until_us = min(self._clock.now_us() + SESSION_US, session.began_us + _LONGEST_US)
        if session.token in self._sessions:
            self._sessions[session.token] = msgspec.structs.replace(session, until_us=until_us)

    def role_now(self, name: str) -> Role | None:
        """What somebody is by the file as it stands; None: nobody, or the file is unusable."""
        try:
            user = self._users().get(name)
        except RefusedError:
            return None
        return user.role if user else None

    def sign_out(self, token: str) -> None:
        """End a session."""
        self._sessions.pop(token, None)

    def _users(self) -> dict[str, identity.User]:
        if not identity.exists(self._path):
            raise RefusedError(
                "nobody can sign in yet: add a user with `tickhouse users add NAME --role admin`"
            )
        try:
            return identity.load(self._path)
        except SettingsError as error:
            raise RefusedError(str(error)) from error

    def _failed(self, name: str, count: int, now_us: int) -> RefusedError:
        wait_s = min(2 ** max(count - _FREE_TRIES, 0), _LONGEST_WAIT_S) if count > 1 else 0
        if len(self._failures) > 10_000:  # names are the caller's: keep no more than this
            self._failures.clear()
        self._failures[name] = (count, now_us + wait_s * 1_000_000)
        return RefusedError("no such user, or another password", wait_s)

    def _forget_ended(self, now_us: int) -> None:
        ended = [token for token, session in self._sessions.items() if session.until_us < now_us]
        for token in ended:
            del self._sessions[token]
