"""Dagster's webserver, with Data Docs and the dbt site beside it on the same port.

A browser does not follow a link from http to a file, so what runs link to must be served; the
folders are filled by runs and may be empty.
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
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

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
            application(home, create_app_from_workspace_process_context(context)),
            host="127.0.0.1",
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )


def application(home: Path, dagster: Starlette) -> Starlette:
    """The sites first; everything else is Dagster's."""
    mounts = []
    for name, folder in sites.folders(home).items():
        folder.mkdir(parents=True, exist_ok=True)
        mounts.append(Mount(f"/{name}", StaticFiles(directory=folder, html=True)))
    return Starlette(routes=[*mounts, Mount("/", dagster)], lifespan=_lifespan)


@contextlib.asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    yield
