"""May this HTTP request come in at all? Asked of its header, before a byte of its body is read.

What listens on loopback is reached by every page that a browser on the machine shows. A page
reaches it under a name of its own that resolves to loopback (the Host tells), from an origin of
its own (the Origin tells), or by a mere link or picture (Sec-Fetch-Site tells). Programs that are
no browsers send none of the last two, and the Host they were told to ask.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from functools import lru_cache
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:/@\\\s]+))(?::\d{1,5})?", re.IGNORECASE)
_ELSEWHERE = ("cross-site", "same-site")  # same-site: another port of this machine


class Door:
    """An ASGI application behind the door: what must not come in is answered 403, in words.

    names: hosts it is reached by besides loopback. linked: whether a link on another site may
    lead a person to a request; only for what shows a page and does nothing.
    """

    def __init__(
        self, app: App, names: Collection[str] = (), linked: Callable[[Scope], bool] | None = None
    ) -> None:
        self._app, self._names, self._linked = app, names, linked or (lambda _: True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it in, or answer."""
        if scope["type"] in ("http", "websocket"):
            why = refusal_of(scope, self._names, self._linked(scope))
            if why:
                await _refuse(scope, send, why)
                return
        await self._app(scope, receive, send)


def refusal_of(scope: Scope, names: Collection[str] = (), linked: bool = False) -> str:
    """Why an ASGI request must not come in; empty if it may."""
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    address = (scope.get("server") or ("",))[0]
    reading = scope.get("method") in ("GET", "HEAD")
    return refusal(headers, {*names, address}, linked and reading)


def refusal(
    headers: Collection[tuple[str, str]], names: Collection[str] = (), linked: bool = False
) -> str:
    """Why a request must not come in; empty if it may.

    Args:
        headers: all of them, repeated ones too.
        names: hosts it is reached by besides loopback, without port.
        linked: a link on another site may lead here, when a person follows it in a window.
    """
    hosts, origins = _values(headers, "host"), _values(headers, "origin")
    host = _name(hosts[0]) if len(hosts) == 1 else ""
    if not host:
        return "a request names its Host once"
    if not _is_loopback(host) and host not in {name.lower() for name in names}:
        return (
            f"Host {host[:80]!r} is not this server: ask it as 127.0.0.1 or localhost; if it is "
            "the warehouse, name the host in TICKHOUSE_WAREHOUSE__HOSTS"
        )
    if origins:
        return "" if len(origins) == 1 and _is_same(origins[0], hosts[0]) else _foreign(origins[0])
    if _values(headers, "sec-fetch-site")[-1:] in ([site] for site in _ELSEWHERE):
        return "" if linked and _is_followed(headers) else _foreign("another site")
    return ""


def _foreign(origin: str) -> str:
    return (
        f"a page of {origin[:80]!r} may not use this server: ask it from its own pages, or with a "
        "program that is no browser; a proxy in between must keep the Host header"
    )


@lru_cache(256)  # asked with each request
def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_same(origin: str, host: str) -> bool:
    scheme, _, place = origin.lower().partition("://")
    return scheme in ("http", "https") and place == host.lower()


def _is_followed(headers: Collection[tuple[str, str]]) -> bool:
    mode, place = _values(headers, "sec-fetch-mode"), _values(headers, "sec-fetch-dest")
    return mode == ["navigate"] and place == ["document"]


def _name(host: str) -> str:
    match = _HOST.fullmatch(host.strip())
    return (match[1] or match[2]).lower().rstrip(".") if match else ""


def _values(headers: Collection[tuple[str, str]], wanted: str) -> list[str]:
    return [value for name, value in headers if name.lower() == wanted]


async def _refuse(scope: Scope, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why[:100]})
        return
    body = f"{why}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
