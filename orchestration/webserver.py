"""Dagster's webserver, with Data Docs and the dbt site beside it on the same port.

A browser does not follow a link from http to a file, so what runs link to must be served; the
folders are filled by runs and may be empty. Dagster itself lets any page drive it, so the door is
ours.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import dagster as dg
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from core import tls, tls_door
from core.same_origin import Door
from orchestration import instance, sites


def serve(home: Path, port: int) -> None:
    """Until SIGTERM; an open page does not hold it up."""
    with (
        dg.DagsterInstance.get() as kept,
        WorkspaceProcessContext(
            kept, WorkspaceFileTarget(paths=[str(instance.workspace(home))])
        ) as context,
    ):
        uvicorn.run(
            Door(application(home, create_app_from_workspace_process_context(context))),
            host="127.0.0.1",
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=1,
            http=tls_door.behind(tls.serving(home), AutoHTTPProtocol),
        )


def application(home: Path, dagster: Starlette) -> Starlette:
    """The sites first; everything else is Dagster's."""
    mounts = []
    for name, folder in sites.folders(home).items():
        folder.mkdir(parents=True, exist_ok=True)
        mounts.append(Mount(f"/{name}", StaticFiles(directory=folder, html=True)))
    asking = Route("/graphql", _PageOnly(dagster), methods=["GET"])
    return Starlette(routes=[*mounts, asking, Mount("/", dagster)], lifespan=_lifespan)


class _PageOnly:
    """GraphQL by GET: the page to type in, and no statement, which might change things."""

    def __init__(self, dagster: ASGIApp) -> None:
        self._dagster = dagster

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show the page, or refuse."""
        if "text/html" in Headers(scope=scope).get("accept", ""):
            await self._dagster(scope, receive, send)
            return
        refused = PlainTextResponse("GraphQL is asked by POST here\n", 405, {"Allow": "POST"})
        await refused(scope, receive, send)


@contextlib.asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    yield
