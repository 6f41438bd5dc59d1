"""The page's ASGI application: static files, older candles, an order's trace, the account's risk,
six buttons, one websocket; and the page of compliance staff, with addresses of its own.

Only our own page may use it: requests must name this host (a foreign name that resolves to
loopback does not), buttons and websocket must come from our origin, and the page may load
nothing from elsewhere.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from dashboards.live import runbooks
from dashboards.live.alert_answers import AlertAnswers
from dashboards.live.controls import Controls
from dashboards.live.viewers import Viewers

if TYPE_CHECKING:
    from dashboards.compliance.room import Room

PLACE = "/compliance"
HOSTS = ["127.0.0.1", "localhost", "[::1]"]
Answer = Callable[[Request], Awaitable[Response]]
Button = Callable[[str, Answer], Route]
_STATIC = Path(__file__).parent / "static"
_SCRIPT, _STYLE = "text/javascript", "text/css"
_KINDS = {
    "live.js": _SCRIPT, "live.css": _STYLE, "compliance.js": _SCRIPT, "compliance.css": _STYLE,
    "compliance": "text/html", "ask.js": _SCRIPT, "ask.css": _STYLE, "ask": "text/html",
}  # fmt: skip
_HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; img-src 'self' data:; "
        b"style-src 'self' 'unsafe-inline'; "  # the chart library sets styles
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-cache",
}


def application(
    viewers: Viewers, controls: Controls, alerts: AlertAnswers, older: Answer, trace: Answer,
    risk: Answer, regimes: Answer, furnish: "Callable[[], Room | None]" = lambda: None,
    more: "Callable[[Button], Sequence[Route]]" = lambda _: (),
) -> Starlette:  # fmt: skip
    """The application over its parts; `older` answers for candles of before, the rest by name.

    Args:
        furnish: makes the room for compliance staff, when somebody first comes.
        more: further addresses; given what makes a POST that only our own page may send.
    """

    async def watch(socket: WebSocket) -> None:
        if not from_our_page(socket):
            await socket.close(1008, "foreign origin")
            return
        await viewers.serve(socket)

    def button(path: str, answer: Answer) -> Route:
        async def press(request: Request) -> Response:
            if not from_our_page(request):
                return JSONResponse({"error": "not from this page"}, status_code=403)
            return await answer(request)

        return Route(path, press, methods=["POST"])

    return Starlette(
        routes=[
            Route("/", _page(controls)),
            *(Route(f"/{name}", _file(name)) for name in _KINDS),
            Route("/runbooks", runbooks.answer),
            Route("/api/bars", older),
            Route("/trace", trace),
            Route("/risk", risk),
            Route("/api/regimes", regimes),
            button("/api/halt", controls.halt),
            button("/api/sign-in", controls.sign_in),
            button("/api/sign-out", controls.entrance.sign_out),
            Route("/api/session", controls.entrance.session),
            *more(button),
            button("/api/resume", controls.resume),
            button("/api/alerts/acknowledge", alerts.acknowledge),
            button("/api/alerts/silence", alerts.silence),
            Route(f"{PLACE}/{{rest:path}}", _OnceWanted(lambda: _of_room(furnish(), button))),
            WebSocketRoute("/live", watch),
        ],
        middleware=[
            Middleware(_Hardened),
            Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False),
        ],
    )


class _OnceWanted:
    """Addresses of a part that takes more memory than the page itself, made by the first visit."""

    def __init__(self, make: Callable[[], Router]) -> None:
        self._make, self._one = make, asyncio.Lock()
        self._router: Router | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._one:
            if self._router is None:
                self._router = await asyncio.to_thread(self._make)
        await self._router(scope, receive, send)


def _of_room(room: "Room | None", button: Callable[[str, Answer], Route]) -> Router:
    if room:
        return Router(room.routes(button))
    return Router([Route(f"{PLACE}/{{rest:path}}", _no_room, methods=["GET", "POST"])])


async def _no_room(_: Request) -> Response:
    text = (
        "the packages that reports need are not installed: install Tickhouse with its extra server"
    )
    return JSONResponse({"error": text}, status_code=503)


def from_our_page(connection: HTTPConnection) -> bool:
    """Whether a browser says that our own page asks. Browsers always name a foreign origin."""
    origin = connection.headers.get("origin", "")
    scheme, _, host = origin.partition("://")
    return scheme in ("http", "https") and host == connection.headers.get("host", "")


def _page(controls: Controls) -> Answer:
    """The page itself, which says where files are obeyed."""

    async def answer(_: Request) -> Response:
        text = (_STATIC / "index.html").read_text("utf-8")
        return HTMLResponse(text.replace("<!--controls-->", controls.notice, 1))

    return answer


def _file(name: str) -> Answer:
    path = _STATIC / (name if "." in name else f"{name}.html")

    async def answer(_: Request) -> Response:
        return FileResponse(path, media_type=_KINDS[name])

    return answer


class _Hardened:
    """Adds the headers that keep a browser from being used against the page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS.items()]
            await send(message)

        await self._app(scope, receive, send_with_headers)
