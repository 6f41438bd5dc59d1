"""How a process of ours serves pages and programs: on loopback, one event loop, ended by us."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from core import tls, tls_door
from core.errors import TickhouseError
from core.process import Process


async def serve(
    app: object, home: Path, process: Process, listener: socket.socket, name: str,
    stop: Callable[[], object] = lambda: None,
) -> None:  # fmt: skip
    """Serve an application until the process is told to stop; by TLS where the home has it.

    Args:
        name: of what is served, for the log.
        stop: done in the loop when it is told.
    """
    server, loop = _server(app, home), asyncio.get_running_loop()

    def end() -> None:
        process.health.set("stopping")
        stop()
        server.should_exit = True

    process.stopping.then(lambda: loop.call_soon_threadsafe(end))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    url = f"{tls.scheme(home)}://127.0.0.1:{listener.getsockname()[1]}"
    process.health.set("ready", url)
    logging.getLogger(__name__).info("%s at %s", name, url)
    await serving


def _server(app: object, home: Path) -> uvicorn.Server:
    built = uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_level="warning",
            log_config=None,  # through our own log, like everything else
            access_log=False,
            ws="websockets-sansio",
            ws_per_message_deflate=False,  # loopback: compressing costs more than it saves
            ws_ping_interval=10,
            ws_ping_timeout=10,
            timeout_graceful_shutdown=1,
            server_header=False,
            http=tls_door.behind(tls.serving(home), AutoHTTPProtocol),
        )
    )
    # uvicorn would raise the signal again after draining, and the process would not exit 0.
    built.capture_signals = contextlib.nullcontext
    return built


def listen(port: int) -> socket.socket:
    """A loopback socket.

    Raises:
        TickhouseError: the port is taken.
    """
    # asyncio sets TCP_NODELAY only on sockets that say TCP; without it updates wait for others.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        text = f"127.0.0.1:{port} cannot be listened on ({error}): choose another with --port"
        raise TickhouseError(text) from error
    return listener
