"""All that a request meets before the application: who asks, from where, how often, how much.

What is now is answered here, too: its bytes are ready, and a router would cost more than the
answer. Nothing but the document and its page is given to who shows no key, not even what there is.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import scopes
from api.callers import Caller, Callers
from api.now import Ready
from api.problems import ProblemError
from core.same_origin import refusal_of

#: Given to anybody who may come in at all.
PUBLIC = frozenset({"/", "/docs", "/v1/openapi.json", "/v1/sign-in"})
LARGEST_BODY, _LONGEST_QUERY = 256 * 1024, 4_096
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; "
                                 b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"private, no-cache"),
)  # fmt: skip
_JSON = (b"content-type", b"application/json")


class Sent(NamedTuple):
    """The headers of a request that matter here."""

    authorization: list[bytes]
    unless: bytes  # If-None-Match
    length: bytes
    cookies: bytes


class Door:
    """An ASGI application before the application.

    Args:
        ready: what is answered here, by path.
    """

    def __init__(self, app: ASGIApp, callers: Callers, ready: Mapping[str, Ready]) -> None:
        self._app, self._callers, self._ready = app, callers, ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let it through with its caller in the scope."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "there is none"})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._admitted(scope, receive, send)
        except ProblemError as problem:
            await problem.response()(scope, receive, _hardened(send))

    async def _admitted(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = _headers_of(scope)
        _check(scope, sent)
        if scope["path"] not in PUBLIC:
            reads = scope["method"] in ("GET", "HEAD")
            cookies = sent.cookies if reads else b""
            caller = await self._callers.admitted(sent.authorization, cookies)
            ready = self._ready.get(scope["path"])
            if ready is not None and scope["method"] == "GET":
                await _give(ready, caller, scope, sent.unless, send)
                return
            scope["caller"] = caller
        await self._app(scope, _bounded(receive), _hardened(send))


def allow(caller: Caller, scope: scopes.Scope) -> None:
    """Let a caller pass who has a scope.

    Raises:
        ProblemError: 403, they have it not.
    """
    if scope not in caller.scopes:
        raise ProblemError(403, "scope", f"this needs the scope {scope}: {scopes.MEANING[scope]}")


async def _give(ready: Ready, caller: Caller, scope: Scope, unless: bytes, send: Send) -> None:
    allow(caller, ready.scope)
    if caller.filtered:
        detail = "your rows are filtered, which only the warehouse can do: ask for history instead"
        raise ProblemError(403, "filtered", detail)
    if scope["query_string"]:
        raise ProblemError(422, "parameter", "this takes no parameters")
    body, etag = ready.answer()
    if unless and _matches(unless, etag):
        headers = [(b"etag", etag), *_HEADERS]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    headers = [_JSON, (b"content-length", b"%d" % len(body)), (b"etag", etag), *_HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _matches(unless: bytes, etag: bytes) -> bool:
    """RFC 9110, section 13.1.2: weak comparison with each of a list, or any."""
    given = [one.strip().removeprefix(b"W/") for one in unless.split(b",")]
    return etag in given or given == [b"*"]


def matches(unless: str, etag: str) -> bool:
    """Whether a header If-None-Match names an entity tag."""
    return _matches(unless.encode("latin-1"), etag.encode())


def _headers_of(scope: Scope) -> Sent:
    authorization: list[bytes] = []
    unless = length = cookies = b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization.append(value)
        elif name == b"if-none-match":
            unless = value
        elif name == b"content-length":
            length = value
        elif name == b"cookie":
            cookies = value
    return Sent(authorization, unless, length, cookies)


def _check(scope: Scope, sent: Sent) -> None:
    if why := refusal_of(scope):
        raise ProblemError(403, "foreign", why)
    if len(scope["query_string"]) > _LONGEST_QUERY or b"%00" in scope["query_string"]:
        raise ProblemError(422, "parameter", "the query is too long, or holds what none may")
    if sent.length and (not sent.length.isdigit() or int(sent.length) > LARGEST_BODY):
        raise _too_large()


def _bounded(receive: Receive) -> Receive:
    """A body that does not say how long it is ends there, too."""
    left = LARGEST_BODY

    async def part() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large()
        return message

    return part


def _too_large() -> ProblemError:
    return ProblemError(413, "too-large", f"a body has at most {LARGEST_BODY} bytes")


def _hardened(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            known: Any = {name.lower() for name, _ in message["headers"]}
            more = [header for header in _HEADERS if header[0] not in known]
            message["headers"] = [*message["headers"], *more]
        await send(message)

    return send_with_headers
