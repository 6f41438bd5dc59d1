"""Signing in at a company's provider: the way there, and the way back with a code.

What was begun is remembered here and not at the provider: a state that is used once, and a cookie
of the browser that began, so that nobody is brought back into somebody else's session. The
provider says who somebody is. What that person may, and whether they may anything, the home's own
users say: no rights are made here.
"""

import asyncio
import hmac
import html
import secrets
from collections import OrderedDict
from typing import NamedTuple, get_args

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from core import pseudonyms
from core.clock import Clock
from core.errors import TickhouseError
from core.identity import Role
from core.settings import Settings
from dashboards.entrance.answers import with_cookie
from dashboards.entrance.provider import Provider, ProviderError
from dashboards.entrance.sign_in import RefusedError, SignedIn, SignIn

BEGIN, BACK = "/sign-in/company", "/sign-in/company/back"
_FLOW = "tickhouse_sign_in"
_LONGEST_US, _MOST = 600_000_000, 1_000
_PAGES = ("/", "/compliance", "/ask")


class _Begun(NamedTuple):
    browser: str
    nonce: str
    verifier: str
    page: str
    until_us: int


class Company:
    """Answers of the two addresses."""

    def __init__(self, settings: Settings, people: SignIn, clock: Clock) -> None:
        self._settings, self._people, self._clock = settings, people, clock
        self._provider = Provider(settings.oidc, clock)
        self._begun = OrderedDict[str, _Begun]()

    async def begin(self, request: Request) -> Response:
        """GET ?to=PAGE: to the provider."""
        state, begun = secrets.token_urlsafe(32), self._new(request.query_params.get("to", "/"))
        try:
            where = await asyncio.to_thread(
                self._provider.beginning, _back(request), state, begun.nonce, begun.verifier
            )
        except ProviderError as error:
            return _not_signed_in(str(error))
        self._begun[state] = begun
        while len(self._begun) > _MOST:
            self._begun.popitem(last=False)
        away = RedirectResponse(where, 303)
        # Lax: it comes along when the provider sends the browser back.
        away.set_cookie(
            _FLOW, begun.browser, max_age=_LONGEST_US // 1_000_000, path=BEGIN, httponly=True,
            samesite="lax", secure=request.url.scheme == "https",
        )  # fmt: skip
        return away

    async def back(self, request: Request) -> Response:
        """GET ?code&state: from the provider; signed in, or why not."""
        given = request.query_params
        begun = self._begun.pop(given.get("state", ""), None)
        if begun is None or self._clock.now_us() > begun.until_us:
            return _not_signed_in("this was not begun here, is over, or took too long")
        cookie = request.cookies.get(_FLOW, "")
        if not hmac.compare_digest(begun.browser.encode(), cookie.encode()):
            return _not_signed_in("this was begun in another browser")
        if given.get("iss", self._settings.oidc.issuer) != self._settings.oidc.issuer:
            return _not_signed_in("this answer is another provider's")  # RFC 9207
        if "code" not in given:
            return _not_signed_in(f"the provider says: {given.get('error', 'nothing')[:100]}")
        try:
            session = await asyncio.to_thread(self._signed_in, _back(request), given["code"], begun)
        except (ProviderError, RefusedError, TickhouseError) as error:
            return _not_signed_in(str(error))
        done = with_cookie(RedirectResponse(begun.page, 303), request, session)
        done.delete_cookie(_FLOW, path=BEGIN, httponly=True, samesite="lax")
        return done

    def _signed_in(self, back: str, code: str, begun: _Begun) -> SignedIn:
        claims = self._provider.claims_of_code(back, code, begun.nonce, begun.verifier)
        name = self._provider.name_in(claims)
        known = pseudonyms.resolved(self._settings.privacy, self._settings.home_path, name)
        return self._people.sign_in_known(known, get_args(Role))

    def _new(self, page: str) -> _Begun:
        browser, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        until_us = self._clock.now_us() + _LONGEST_US
        return _Begun(browser, nonce, verifier, page if page in _PAGES else "/", until_us)


def _back(request: Request) -> str:
    """Our own address, under the name by which the page was reached: one of loopback's."""
    return str(request.url.replace(path=BACK, query="", fragment=""))


def _not_signed_in(why: str) -> Response:
    text = f"<!doctype html><title>Not signed in</title><p>Not signed in: {html.escape(why)}</p>"
    return HTMLResponse(f'{text}<p><a href="/">Back</a></p>', 403)
