"""Persons who ask without a key: by the home's one sign-in, or a token of their company's provider.

A session is the same as the pages': signed in there is signed in here. In a header it begins with
`ts_`; as a cookie, which a browser sends by itself, it only reads. A provider's access token is
believed for this API alone (`oidc.audience`), and names a user of the home; each is checked once
and then known until it ends, at most ten minutes, so that a request does not wait for a signature.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie

import msgspec
from starlette.requests import Request

from api.problems import ProblemError
from api.scopes import OF_ROLE, SCOPES, Scope
from core import pseudonyms
from core.clock import Clock
from core.errors import TickhouseError
from core.identity import Role
from core.settings import Settings
from dashboards.entrance.answers import COOKIE
from dashboards.entrance.sign_in import RefusedError, SignedIn, SignIn

PREFIX = "ts_"
_ROLES: tuple[Role, ...] = tuple(OF_ROLE)
_LONGEST_US, _MOST = 600_000_000, 10_000
_LONGEST_TOKEN = 16_384
_log = logging.getLogger("api")


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signs in; `code` of an authenticator app, of who has one."""

    name: str
    password: str
    code: str = ""


class Session(msgspec.Struct, frozen=True):
    """A token for `Authorization: Bearer`; it ends after 15 minutes without use."""

    token: str
    name: str
    scopes: tuple[Scope, ...]


def cookie_of(header: str) -> str:
    """The session that a browser sends by itself, from signing in at a page of the home; or ""."""
    try:
        cookie = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


class Persons:
    """Tells names of people by what they show. Used from one event loop."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._people = SignIn(settings.home_path, clock)
        self._one_guess = asyncio.Semaphore(1)  # scrypt takes 16 MiB and a core
        self._known = OrderedDict[bytes, tuple[str, int]]()  # of tokens: the name, and until when
        self._provider = None
        if settings.oidc.issuer and settings.oidc.audience:
            from dashboards.entrance.provider import Provider  # an extra of its own

            self._provider = Provider(settings.oidc, clock)

    def of_session(self, text: str) -> str | None:
        """The name of a session's person; None when it is none, or over."""
        session = self._people.anybody(text.removeprefix(PREFIX))
        return session.name if session else None

    async def renewed(self, text: str) -> str | None:
        """The same, and the session goes on, for it is used."""
        session = self._people.anybody(text.removeprefix(PREFIX))
        if session is None:
            return None
        try:
            await asyncio.to_thread(self._people.renew, session)
        except (TickhouseError, OSError) as error:
            _log.error("a session is not renewed: %s", error)
        return session.name

    def of_known_token(self, token: str) -> str | None:
        """The name of a provider's token that was checked; None when it was not, or is over."""
        name, until_us = self._known.get(_digest(token), ("", 0))
        return name if self._clock.now_us() < until_us else None

    async def of_token(self, token: str) -> str | None:
        """The name that a provider's token is for; None when it is not believed."""
        if self._provider is None or len(token) > _LONGEST_TOKEN:
            return None
        if known := self.of_known_token(token):
            return known
        try:
            name, until_us = await asyncio.to_thread(self._checked, token)
        except (_not_believed(), TickhouseError) as error:
            _log.warning("a token is not believed: %s", error)
            return None
        self._known[_digest(token)] = name, until_us
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return name

    async def sign_in(self, request: Request) -> bytes:
        """A new session of somebody.

        Raises:
            ProblemError: 422 no such body; 401 name, password or code is wrong; 429 too soon.
        """
        try:
            given = msgspec.json.decode(await request.body(), type=Credentials)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ProblemError(422, "body", f"this is no sign-in: {error}") from error
        async with self._one_guess:
            session = await asyncio.to_thread(self._signed_in, given)
        scopes = tuple(scope for scope in SCOPES if scope in OF_ROLE[session.role])
        return msgspec.json.encode(Session(PREFIX + session.token, session.name, scopes))

    async def sign_out(self, text: str) -> None:
        """End a session, here and at every page.

        Raises:
            ProblemError: 503 it cannot be kept, and the session goes on.
        """
        try:
            await asyncio.to_thread(self._people.sign_out, text.removeprefix(PREFIX))
        except (TickhouseError, OSError) as error:
            raise ProblemError(503, "sign-in", "not signed out: the disk takes nothing") from error

    def _signed_in(self, given: Credentials) -> SignedIn:
        try:
            code = given.code.replace(" ", "")
            return self._people.sign_in(given.name.strip(), given.password, _ROLES, code)
        except RefusedError as error:
            if error.wait_s:
                after = {"Retry-After": str(error.wait_s)}
                raise ProblemError(429, "guesses", str(error), after) from error
            raise ProblemError(401, "sign-in", str(error)) from error

    def _checked(self, token: str) -> tuple[str, int]:
        assert self._provider is not None
        claims = self._provider.claims_of_token(token)
        name = self._provider.name_in(claims)
        name = pseudonyms.resolved(self._settings.privacy, self._settings.home_path, name)
        until_us = min(int(claims["exp"]) * 1_000_000, self._clock.now_us() + _LONGEST_US)
        return name, until_us


def _not_believed() -> type[Exception]:
    from dashboards.entrance.provider import ProviderError

    return ProviderError


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
