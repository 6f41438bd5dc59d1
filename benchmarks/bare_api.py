"""One server of `bench_api`: the same two answers by uvicorn alone or under a framework.

    python -m benchmarks.bare_api asgi|starlette|fastapi|litestar PORT

`/now` gives bytes that are ready, to who shows a header; `/rows` a hundred records.
"""

import sys
from typing import Annotated, Any

import msgspec
import uvicorn

KINDS = ("asgi", "starlette", "fastapi", "litestar")
READY = b'{"source":"sim","symbol":"EURUSD","bid":1.1,"ask":1.1001}' * 3
_JSON = "application/json"


class Row(msgspec.Struct):
    """A bar."""

    time: str
    symbol: str
    open: float
    high: float
    low: float
    close: float
    ticks: int


ROWS = [Row("2026-01-01T00:00:00Z", "EURUSD", 1.1, 1.2, 1.0, 1.15, n) for n in range(100)]


def asgi() -> Any:
    """uvicorn alone."""
    encode = msgspec.json.Encoder().encode

    async def application(scope: Any, receive: Any, send: Any) -> None:
        body = READY if scope["path"] == "/now" else encode(ROWS)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return application


def starlette() -> Any:
    """What FastAPI stands on."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def now(request: Request) -> Response:
        return Response(READY if request.headers["authorization"] else b"", media_type=_JSON)

    async def rows(_: Request) -> Response:
        return Response(msgspec.json.encode(ROWS), media_type=_JSON)

    return Starlette(routes=[Route("/now", now), Route("/rows", rows)])


def fastapi() -> Any:
    """FastAPI with what an operation of ours would use: a dependency, and checked parameters."""
    from fastapi import Depends, FastAPI, Header, Query, Response
    from pydantic import TypeAdapter

    app = FastAPI()
    records = TypeAdapter(list[dict[str, Any]]).validate_python(msgspec.to_builtins(ROWS))

    async def who(authorization: Annotated[str, Header()]) -> str:
        return authorization

    @app.get("/now")
    async def now(
        _: Annotated[str, Depends(who)], symbol: Annotated[str, Query(max_length=64)] = ""
    ) -> Response:
        return Response(READY if not symbol else b"", media_type=_JSON)

    @app.get("/rows")
    async def rows(_: Annotated[str, Depends(who)], limit: int = 100) -> list[dict[str, Any]]:
        return records[:limit]

    return app


def litestar() -> Any:
    """Litestar with the same; its records are msgspec's."""
    from litestar import Litestar, Response, get  # type: ignore[import-not-found]
    from litestar.di import Provide  # type: ignore[import-not-found]
    from litestar.params import Parameter  # type: ignore[import-not-found]

    async def who(authorization: Annotated[str, Parameter(header="authorization")]) -> str:
        return authorization

    @get("/now", dependencies={"known": Provide(who)})  # type: ignore[untyped-decorator]
    async def now(known: str, symbol: Annotated[str, Parameter(max_length=64)] = "") -> Any:
        return Response(READY if known and not symbol else b"", media_type=_JSON)

    @get("/rows", dependencies={"known": Provide(who)})  # type: ignore[untyped-decorator]
    async def rows(known: str, limit: int = 100) -> list[Row]:
        return ROWS[:limit] if known else []

    return Litestar([now, rows])


def main() -> None:
    """Serve until a signal."""
    kind, port = sys.argv[1], int(sys.argv[2])
    application = {"asgi": asgi, "starlette": starlette, "fastapi": fastapi, "litestar": litestar}
    uvicorn.run(
        application[kind](), port=port, log_level="error", access_log=False, lifespan="off",
        loop="uvloop", http="httptools",
    )  # fmt: skip


if __name__ == "__main__":
    main()
