"""Who may resume: names and passwords of the identity file, sessions, and slow answers to guesses.

A failure makes the next attempt for the same name wait twice as long, up to a minute, whatever
the password; an unknown name takes as long as a wrong password. Sessions live in memory: a
restart of the page signs everybody out.
"""

import hmac
import secrets
from pathlib import Path

import msgspec

from core import identity
from core.clock import Clock
from core.errors import SettingsError

SESSION_US = 15 * 60_000_000
_LONGEST_WAIT_S = 60
_FREE_TRIES = 3


class SignedIn(msgspec.Struct, frozen=True):
    """Somebody signed in. `token` is the cookie's, `proof` goes in a header with each order."""

    token: str
    proof: str
    name: str
    until_us: int


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

    def sign_in(self, name: str, password: str) -> SignedIn:
        """A new session.

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
        if user.role not in identity.MAY_ALLOW_RISK:
            raise RefusedError(
                f"a user of role {user.role} may not do this; one of role admin or risk may"
            )
        session = SignedIn(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), name, now_us + SESSION_US
        )
        self._forget_ended(now_us)
        self._sessions[session.token] = session
        return session

    def session(self, token: str, proof: str) -> SignedIn | None:
        """The session of a cookie and its header; None when either is wrong or it has ended."""
        session = self._sessions.get(token)
        if session is None or self._clock.now_us() > session.until_us:
            return None
        return session if hmac.compare_digest(session.proof.encode(), proof.encode()) else None

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
