"""`/ask` and what is under it: questions in English or SQL, with the rights of who asks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core import identity
from core.errors import InputError, TickhouseError, UnavailableError, WarehouseError
from core.identity import Role
from dashboards.ask.asking import Asking
from dashboards.ask.saved import SavedQuestions
from dashboards.entrance.door import Door
from dashboards.entrance.sign_in import SignedIn
from dashboards.live.bodies import body_of, refuse

PLACE = "/ask"
ROLES: tuple[Role, ...] = ("analyst", "risk", "admin", "compliance")
_MOST_AT_ONCE = 4
Answer = Callable[[Request], Awaitable[Response]]
Body = TypeVar("Body", bound=msgspec.Struct)
_log = logging.getLogger(__name__)


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """In English."""

    question: str


class Statement(msgspec.Struct, forbid_unknown_fields=True):
    """One SELECT."""

    sql: str


class Kept(msgspec.Struct, forbid_unknown_fields=True):
    """A question to keep under a name."""

    name: str
    sql: str
    question: str = ""


class Gone(msgspec.Struct, forbid_unknown_fields=True):
    """A saved question that goes."""

    id: str


class AskPage:
    """Answers of the page's addresses."""

    def __init__(self, door: Door, asking: Asking, saved: SavedQuestions) -> None:
        self._door, self._asking, self._saved = door, asking, saved
        self._few = asyncio.Semaphore(_MOST_AT_ONCE)

    def routes(self, guarded: Callable[[str, Answer], Route]) -> list[Route]:
        """All of them.

        Args:
            guarded: makes a POST route that takes only what our own page sends.
        """
        return [
            Route(f"{PLACE}/api/session", self._door.session),
            Route(f"{PLACE}/api/saved", self._list),
            guarded(f"{PLACE}/api/sign-in", self._door.sign_in),
            guarded(f"{PLACE}/api/answer", self._answer),
            guarded(f"{PLACE}/api/run", self._run),
            guarded(f"{PLACE}/api/save", self._save),
            guarded(f"{PLACE}/api/remove", self._remove),
        ]

    async def _answer(self, request: Request) -> Response:
        return await self._put(
            request, Question, lambda who, body: self._asking.question(who, body.question)
        )

    async def _run(self, request: Request) -> Response:
        return await self._put(
            request, Statement, lambda who, body: self._asking.statement(who, body.sql)
        )

    async def _list(self, request: Request) -> Response:
        visitor = await self._door.visitor(request)
        if isinstance(visitor, Response):
            return visitor
        try:
            return _json(await asyncio.to_thread(self._saved.listed))
        except InputError as error:
            return refuse(500, str(error))

    async def _save(self, request: Request) -> Response:
        return await self._door.changing(request, Kept, lambda by, body: _id(self._saved, body, by))

    async def _remove(self, request: Request) -> Response:
        visitor = await self._door.visitor(request)
        if isinstance(visitor, Response):
            return visitor
        return await self._door.changing(
            request, Gone,
            lambda by, body: self._saved.remove(
                body.id, by, any_of_them=visitor.role == "admin"
            ),
        )  # fmt: skip

    async def _put(
        self, request: Request, kind: type[Body], ask: Callable[[SignedIn, Body], object]
    ) -> Response:  # fmt: skip
        visitor = await self._door.visitor(request)
        if isinstance(visitor, Response):
            return visitor
        body = await body_of(request, kind)
        if isinstance(body, Response):
            return body
        _log.info("%s asks: %s", visitor.name, str(body)[:2000])
        try:
            async with self._few:
                return _json(await asyncio.to_thread(ask, visitor, body))
        except UnavailableError as error:
            return refuse(503, str(error))
        except (WarehouseError, TickhouseError) as error:
            return refuse(422, str(error))


def _id(saved: SavedQuestions, body: Kept, by: str) -> dict[str, str]:
    return {"id": saved.save(body.name, body.question, body.sql, by or identity.this_user()).id}


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
