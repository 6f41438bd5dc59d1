"""Signing in and out over HTTP, the same at every door: one cookie, which no script reads.

It goes to every page of this host and to no other site. A door names the roles it is for; whoever
is signed in already and has one of them need not sign in again.
"""

import asyncio
from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.errors import TickhouseError
from core.identity import Role
from dashboards.entrance.sign_in import RefusedError, SignedIn, SignIn
from dashboards.live.bodies import body_of, refuse

COOKIE, PROOF = "tickhouse_session", "x-tickhouse-proof"


class _Credentials(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    password: str
    code: str = ""


class Entrance:
    """Answers for signing in, out, and who is signed in; a guess at a time."""

    def __init__(self, people: SignIn, company: str = "") -> None:
        self.people, self._company = people, company
        self._one_guess = asyncio.Semaphore(1)  # scrypt takes 16 MiB and a core

    async def sign_in(self, request: Request, roles: Sequence[Role]) -> Response:
        """POST {name, password, code}: a session cookie, and its proof in the answer."""
        given = await body_of(request, _Credentials)
        if isinstance(given, Response):
            return given
        try:
            async with self._one_guess:
                session = await asyncio.to_thread(
                    self.people.sign_in, given.name.strip(), given.password, roles,
                    given.code.replace(" ", ""),
                )  # fmt: skip
        except RefusedError as error:
            return refused(error)
        return with_cookie(said(session), request, session)

    async def sign_out(self, request: Request) -> Response:
        """POST: ends the session."""
        try:
            await asyncio.to_thread(self.people.sign_out, request.cookies.get(COOKIE, ""))
        except (TickhouseError, OSError) as error:
            return refuse(500, f"not signed out: {error}")
        done = JSONResponse({})
        done.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return done

    async def session(self, request: Request) -> Response:
        """GET: who is signed in; nobody has no name."""
        session = await asyncio.to_thread(self.people.anybody, request.cookies.get(COOKIE, ""))
        return JSONResponse({"name": ""}) if session is None else said(session)

    def nobody(self, why: str) -> Response:
        """Who comes without a session is told how to get one."""
        return refuse(401, f"sign in first: {why}", company=self._company)

    def author(self, request: Request, roles: Sequence[Role]) -> SignedIn | None:
        """Who orders something: by the cookie, and its proof in a header."""
        proof = request.headers.get(PROOF, "")
        return self.people.session(request.cookies.get(COOKIE, ""), proof, roles)


def said(session: SignedIn) -> Response:
    """Who is signed in, for the page."""
    return JSONResponse({"name": session.name, "role": session.role, "proof": session.proof})


def refused(error: RefusedError) -> Response:
    """Why nobody was signed in, and when to try again."""
    answer = refuse(429 if error.wait_s else 403, str(error), code=error.needs_code)
    if error.wait_s:
        answer.headers["Retry-After"] = str(error.wait_s)
    return answer


def with_cookie(answer: Response, request: Request, session: SignedIn) -> Response:
    """The answer, with the session's cookie."""
    answer.set_cookie(
        COOKIE, session.token, httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer
