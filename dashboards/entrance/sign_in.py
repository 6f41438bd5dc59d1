"""Who somebody is: names and passwords of the home's users, a code where they enrolled, sessions.

One sign-in for every door (live page, compliance, questions, API): a session is of a person and
not of a page, and what that person may is asked of the user file at each request. A failure makes
the next attempt for the same name wait twice as long, up to a minute, whatever the password and
at whichever door; an unknown name takes as long as a wrong password.
"""

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core import identity, totp
from core.clock import Clock
from core.errors import SettingsError, TickhouseError
from core.identity import MAY_ALLOW_RISK, Role, User
from core.sign_ins import Session, SignIns


class SignedIn(msgspec.Struct, frozen=True):
    """Somebody signed in. `token` is the cookie's, `proof` goes in a header with each order."""

    token: str
    proof: str
    name: str
    until_us: int
    role: Role
    is_bounded: bool = False  # has row filters or limits of their own in the warehouse


class RefusedError(Exception):
    """A sign-in that failed.

    `wait_s`: before this name may try again. `needs_code`: name and password were right, and the
    person has enrolled for codes.
    """

    def __init__(self, text: str, wait_s: int = 0, *, needs_code: bool = False) -> None:
        super().__init__(text)
        self.wait_s, self.needs_code = wait_s, needs_code


class SignIn:
    """Sign-in against the home's identity file. Blocking (one guess costs some 100 ms)."""

    def __init__(self, home: Path, clock: Clock) -> None:
        self._home, self._path, self._clock = home, identity.path_in(home), clock
        self._kept = SignIns(home, clock)

    def sign_in(
        self, name: str, password: str, roles: Sequence[Role] = MAY_ALLOW_RISK, code: str = ""
    ) -> SignedIn:
        """A new session of somebody with one of the roles.

        Raises:
            RefusedError: no users yet, too soon after a failure, or name, password, code or role
                wrong.
        """
        users = self._users()
        try:
            user = self._proven(users, name, password, code)
            return self._begun(user, roles)
        except (TickhouseError, OSError) as error:
            raise RefusedError(f"nobody is signed in: {error}") from error

    def sign_in_known(self, name: str, roles: Sequence[Role]) -> SignedIn:
        """A new session of somebody whom a provider vouches for; a user of the home all the same.

        Raises:
            RefusedError: no such user, a role that may not, or the session cannot be kept.
        """
        user = self._users().get(name)
        if user is None:
            raise RefusedError(
                f"{name[:64]!r} is no user of this home: an admin adds them, tickhouse users add"
            )
        try:
            return self._begun(user, roles)
        except (TickhouseError, OSError) as error:
            raise RefusedError(f"nobody is signed in: {error}") from error

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
        session = self.anybody(token)
        return session if session and session.role in roles else None

    def anybody(self, token: str) -> SignedIn | None:
        """The session of a cookie, whatever the person's role, which is that of the file now.

        It ends with the user, and with their password.
        """
        session = self._kept.session(token) if token else None
        if session is None:
            return None
        try:
            user = self._users().get(session.name)
        except RefusedError:
            return None
        if user is None or _stamp(user) != session.stamp:
            return None
        return _of(user, token, session)

    def renew(self, session: SignedIn) -> None:
        """A session that is used goes on, for eight hours at most.

        Raises:
            TickhouseError, OSError: it cannot be kept, and ends when it would have.
        """
        self._kept.renew(session.token)

    def sign_out(self, token: str) -> None:
        """End a session.

        Raises:
            TickhouseError, OSError: it cannot be kept, and the session goes on.
        """
        self._kept.end(token)

    def _proven(self, users: dict[str, User], name: str, password: str, code: str) -> User:
        if wait_s := self._kept.wait_s(name):
            raise RefusedError(f"too many wrong passwords or codes: wait {wait_s} s", wait_s)
        user = users.get(name)
        hashed = user.password if user else identity.hash_of_nobody()
        if not identity.matches(hashed, password) or user is None:
            wait_s = self._kept.failed(name)
            raise RefusedError("no such user, or another password", wait_s)
        if totp.path_in(self._home, name).exists():
            self._check_code(name, code)
        return user

    def _check_code(self, name: str, code: str) -> None:
        if not code:
            raise RefusedError("give the code of your authenticator app, too", needs_code=True)
        step = totp.step_matched(totp.secret_of(self._home, name), code, self._clock.now_us())
        if step is None or not self._kept.use_code(name, step):
            wait_s = self._kept.failed(name)
            raise RefusedError("that code is wrong, or was used", wait_s, needs_code=True)

    def _begun(self, user: User, roles: Sequence[Role]) -> SignedIn:
        if user.role not in roles:
            may = " or ".join(roles)
            raise RefusedError(f"a user of role {user.role} may not do this; one of role {may} may")
        token, session = self._kept.begin(user.name, _stamp(user))
        return _of(user, token, session)

    def _users(self) -> dict[str, User]:
        if not identity.exists(self._path):
            raise RefusedError(
                "nobody can sign in yet: add a user with `tickhouse users add NAME --role admin`"
            )
        try:
            return identity.load(self._path)
        except SettingsError as error:
            raise RefusedError(str(error)) from error


def _of(user: User, token: str, session: Session) -> SignedIn:
    is_bounded = bool(user.row_filters or user.max_seconds or user.max_memory_mib)
    return SignedIn(
        token, _proof(token), user.name, session.until_us, user.role, is_bounded=is_bounded
    )


def _stamp(user: User) -> str:
    return hashlib.sha256(user.password.encode()).hexdigest()


def _proof(token: str) -> str:
    """What our own page sends besides the cookie: only who was told it, or has the cookie, can."""
    return hmac.new(token.encode(), b"proof", hashlib.sha256).hexdigest()
