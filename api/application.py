"""The API's addresses under `/v1`, over its parts: each with what it takes, gives and needs.

What is now is answered before this (`api.door`), and stands in the document all the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.metadata import version
from typing import Annotated, Any, Literal

import msgspec
from fastapi import FastAPI, Path, Query
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api import document, document_page
from api.callers import Callers
from api.control import KEY, Chain, Control, Halt, Halted, Prepared, Resume, Signed, Taken
from api.door import Door, allow
from api.history import ARROW, History
from api.more import More, Rows
from api.now import KINDS, NowLists
from api.persons import PREFIX, Credentials, Persons, Session
from api.problems import ProblemError
from api.queries import Given, Name
from api.resources import RESOURCES, Resource
from api.scopes import Scope
from api.stream import Streams

JSON = "application/json"
Mode = Literal["live", "shadow", "demo", "replay", "backtest"]


def application(
    callers: Callers, now: NowLists, history: History, more: More, control: Control,
    streams: Streams,
) -> Door:  # fmt: skip
    """The ASGI application of one home."""
    app = FastAPI(
        title="Tickhouse", version=version("tickhouse"), description=document.ABOUT,
        docs_url=None, redoc_url=None, openapi_url=None,
    )  # fmt: skip
    for name, resource in RESOURCES.items():
        _add_list(app, name, resource, history)
    _add_more(app, more)
    _add_stream(app, streams, callers)
    _add_control(app, control)
    if callers.persons:
        _add_sign_in(app, callers.persons)
    _add_document(app)
    app.add_exception_handler(ProblemError, _said)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)
    ready = {f"/v1/now/{name}": each for name, each in now.lists.items()}
    return Door(app, callers, ready)


def _add_list(app: FastAPI, name: str, resource: Resource, history: History) -> None:
    async def answer(request: Request, query: Any) -> Response:
        caller = request.scope["caller"]
        allow(caller, resource.scope)
        return await history.page(resource, caller, query, request)

    answer.__annotations__["query"] = Annotated[resource.query, Query()]
    page = document.page_of(resource.record)
    _get(app, f"/v1/{name}", name, resource.scope, resource.says, page, arrow=True)(answer)


def _add_more(app: FastAPI, more: More) -> None:
    @_get(app, "/v1/lineage", "lineage", "desk", "An order back to its tick, event by event", Rows)
    async def lineage(
        request: Request, order: Annotated[Given, Query()], run: Annotated[Name, Query()] = ""
    ) -> Response:
        allow(request.scope["caller"], "desk")
        return _json(await more.lineage(request.scope["caller"], order, run))

    @_get(app, "/v1/explain/{id}", "explain", "desk", "A decision recomputed from its ticks", dict)
    async def explain(request: Request, id: Annotated[Given, Path()]) -> Response:
        allow(request.scope["caller"], "desk")
        return _json(await more.explain(request.scope["caller"], id))

    @_get(app, "/v1/reports", "reports", "compliance", "Reports that were made", Rows)
    async def reports(request: Request) -> Response:
        allow(request.scope["caller"], "compliance")
        return _json(await more.reports(request.scope["caller"]))

    @_get(app, "/v1/cases", "cases", "compliance", "Cases that are open, late ones first", Rows)
    async def cases(request: Request, mode: Mode = "live", closed: bool = False) -> Response:
        allow(request.scope["caller"], "compliance")
        return _json(await more.cases(request.scope["caller"], mode, closed=closed))


def _add_stream(app: FastAPI, streams: Streams, callers: Callers) -> None:
    @_get(app, "/v1/stream", "stream", "market", document.STREAM, None)
    async def stream(request: Request, topics: Annotated[str, Query(max_length=200)]) -> Response:
        sent = [v for n, v in request.scope["headers"] if n == b"authorization"]
        cookies = request.headers.get("cookie", "") if not sent else ""
        return streams.open(request, topics, lambda: callers.is_still(sent, cookies))


def _add_control(app: FastAPI, control: Control) -> None:
    posts: tuple[tuple[str, Scope, str, Any, Any, Any], ...] = (
        ("halt", "halt", "Halt trading: it holds at once", Halt, Halted, control.halt),
        ("resume", "control", "Prepare a resume, for a person at the home", Resume, Prepared,
         control.resume),
        ("controls", "control", "Hand in a version that a person signed", Signed, Taken,
         control.sign),
    )  # fmt: skip
    for name, scope, says, body, gives, act in posts:
        _post(app, name, scope, says, body, gives, act)

    @_get(app, "/v1/controls", "chain", "control", "What the next signed entry follows", Chain)
    async def chain(request: Request) -> Response:
        allow(request.scope["caller"], "control")
        return _json(msgspec.json.encode(await asyncio.to_thread(control.chain)))


def _add_sign_in(app: FastAPI, persons: Persons) -> None:
    @app.post(
        "/v1/sign-in", operation_id="sign_in", summary="Sign in with a name, password and code",
        response_class=Response, responses=document.answers(Session),
        openapi_extra=document.taking(Credentials),
    )  # fmt: skip
    async def sign_in(request: Request) -> Response:
        return _json(await persons.sign_in(request))

    @app.post(
        "/v1/sign-out", operation_id="sign_out", summary="End a session, here and at every page",
        response_class=Response, responses=document.answers(dict), openapi_extra=document.ANYBODY,
    )  # fmt: skip
    async def sign_out(request: Request) -> Response:
        text = request.headers.get("authorization", "").partition(" ")[2].strip()
        if not text.startswith(PREFIX):
            raise ProblemError(409, "session", "this is no session: tickhouse api-keys revoke")
        await persons.sign_out(text)
        return _json(b"{}")


def _post(
    app: FastAPI, name: str, scope: Scope, says: str, body: type[msgspec.Struct],
    gives: type[msgspec.Struct], act: Callable[[Request], Awaitable[bytes]],
) -> None:  # fmt: skip
    async def answer(request: Request) -> Response:
        allow(request.scope["caller"], scope)
        return _json(await act(request))

    app.post(
        f"/v1/{name}", operation_id=name, summary=says, response_class=Response,
        responses=document.answers(gives), openapi_extra=document.post(scope, body, KEY),
    )(answer)  # fmt: skip


def _get(
    app: FastAPI, path: str, name: str, scope: Scope, says: str, gives: Any, *, arrow: bool = False
) -> Callable[[Callable[..., Awaitable[Response]]], Any]:
    kinds = (JSON, ARROW) if arrow else (JSON,)
    return app.get(
        path, operation_id=name, summary=says, response_class=Response,
        responses=document.answers(gives, *kinds), openapi_extra=document.needs(scope),
    )  # fmt: skip


def _add_document(app: FastAPI) -> None:
    @cache  # when somebody first asks: it takes a moment, and a start need not wait for it
    def written() -> tuple[bytes, str]:
        said = document.written(app, KINDS)
        return msgspec.json.encode(said), document_page.html(said)

    @app.get("/v1/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return _json(written()[0])

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(written()[1])

    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse("/docs")


def _json(body: bytes) -> Response:
    return Response(body, media_type=JSON)


async def _said(_: Request, error: Any) -> Response:
    response: Response = error.response()
    return response


async def _not_understood(_: Request, error: Any) -> Response:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return ProblemError(422, "parameter", f"{where}: {first['msg']}"[:500]).response()


async def _http(_: Request, error: Any) -> Response:
    kind = {404: "unknown", 405: "method"}.get(error.status_code, "http")
    detail = "there is nothing of this name: /v1/openapi.json" if kind == "unknown" else ""
    headers = error.headers or {}
    return ProblemError(error.status_code, kind, detail or str(error.detail), headers).response()


async def _failed(_: Request, __: Any) -> Response:
    return ProblemError(500, "failed", "this is our fault: the log says more").response()
