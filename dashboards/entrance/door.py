"""Who may come in to a page: sessions of users with its roles, and of nobody else.

A session is a cookie that no script reads and no other site's page sends; what changes something
needs its proof in a header besides, comes from our own page, and carries a key, so that the same
click sent twice does one thing. What the user file says now counts, not what it said at sign-in.
"""

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import identity
from core.errors import TickhouseError, UnavailableError
from core.identity import Role
from dashboards.entrance.answers import COOKIE, Entrance, said
from dashboards.entrance.sign_in import SignedIn
from dashboards.live.bodies import body_of, refuse

KEY = "idempotency-key"
_KEY = re.compile("[0-9A-Za-z-]{8,64}")
_MOST_KEYS = 10_000
_log = logging.getLogger(__name__)

Body = TypeVar("Body", bound=msgspec.Struct)


class Door:
    """Lets a request through, or answers it. Who somebody is, the entrance of all pages says.

    Args:
        roles: whom the page is for; the first is whom to add where nobody can come in.
        everybody: whether in a home without users whoever is at this machine comes in, as at the
            warehouse: as an analyst without a name.
    """

    def __init__(
        self, home: Path, entrance: Entrance, roles: tuple[Role, ...], *, everybody: bool = False
    ) -> None:
        self._home, self._entrance = home, entrance
        self._roles, self._everybody = roles, everybody
        self._one_change = asyncio.Lock()
        self._done = OrderedDict[tuple[str, str], tuple[bytes, Any]]()

    async def sign_in(self, request: Request) -> Response:
        """POST {name, password, code}: a session cookie, and its proof in the answer."""
        if problem := self._nobody_can():
            return problem
        return await self._entrance.sign_in(request, self._roles)

    async def sign_out(self, request: Request) -> Response:
        """POST: ends the session."""
        return await self._entrance.sign_out(request)

    async def session(self, request: Request) -> Response:
        """GET: who is signed in, and the proof for what the page sends after it was loaded anew."""
        session = await self.visitor(request)
        return session if isinstance(session, Response) else said(session)

    async def visitor(self, request: Request) -> SignedIn | Response:
        """Who reads, or the refusal: 401 without a session, 403 for another role."""
        if self._everybody and not identity.exists(identity.path_in(self._home)):
            return SignedIn("", "", identity.ANYBODY.name, 0, identity.ANYBODY.role)
        session = self._entrance.people.anybody(request.cookies.get(COOKIE, ""))
        may = " or ".join(self._roles)
        if session is None:
            return self._nobody_can() or self._entrance.nobody(f"this page is for the role {may}")
        if session.role not in self._roles:
            return refuse(403, f"{session.name} is of role {session.role}; this is for {may}")
        await asyncio.to_thread(self._renew, session)
        return session

    def _renew(self, session: SignedIn) -> None:
        try:
            self._entrance.people.renew(session)
        except (TickhouseError, OSError) as error:  # who reads goes on reading
            _log.error("a session is not renewed: %s", error)

    async def changing(
        self, request: Request, kind: type[Body], change: Callable[[str, Body], object]
    ) -> Response:
        """Do what a body asks in a thread, once for each key; one change at a time.

        Args:
            change: takes who asks and the body; raises a TickhouseError when nothing was changed.
        """
        session = await self._author(request)
        if isinstance(session, Response):
            return session
        key = request.headers.get(KEY, "")
        if not _KEY.fullmatch(key):
            return refuse(422, f"send a key of your own in the header {KEY}: 8 to 64 letters")
        body = await body_of(request, kind)
        if isinstance(body, Response):
            return body
        if problem := _hidden(body):
            return refuse(422, problem)
        mark = request.url.path.encode() + msgspec.json.encode(body)
        async with self._one_change:
            before = self._done.get((session.name, key))
            if before and before[0] != mark:
                return refuse(422, "this key was sent with something else before")
            if before is None:
                answer = await _tried(change, session.name, body)
                if isinstance(answer, Response):
                    return answer
                before = self._keep((session.name, key), mark, answer)
        return JSONResponse(before[1])

    async def _author(self, request: Request) -> SignedIn | Response:
        session = await self.visitor(request)
        if isinstance(session, Response) or not session.token:
            return session
        known = self._entrance.author(request, self._roles)
        return known or refuse(401, "sign in again: the page's proof is not this session's")

    def _nobody_can(self) -> Response | None:
        if identity.exists(identity.path_in(self._home)):
            return None
        return refuse(
            403, f"nobody can sign in yet: tickhouse users add NAME --role {self._roles[0]}"
        )

    def _keep(self, key: tuple[str, str], mark: bytes, answer: Any) -> tuple[bytes, Any]:
        self._done[key] = mark, answer
        while len(self._done) > _MOST_KEYS:
            self._done.popitem(last=False)
        return self._done[key]


async def _tried(change: Callable[[str, Body], object], by: str, body: Body) -> Any:
    try:
        return await asyncio.to_thread(change, by, body)
    except UnavailableError as error:
        return refuse(503, str(error))
    except TickhouseError as error:
        return refuse(422, str(error))
    except OSError as error:
        return refuse(500, f"not kept: {error}")


def _hidden(body: msgspec.Struct) -> str:
    """What is read in terminals and on paper holds no character that nobody sees."""
    for name, value in msgspec.structs.asdict(body).items():
        text = value if isinstance(value, str) else ""
        if not text.replace("\n", "").isprintable():
            return f"{name} holds a character that cannot be printed; write it as plain text"
    return ""
