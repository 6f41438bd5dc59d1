"""Serving: listener, engine, gate and HTTP put together, until SIGTERM or SIGINT.

Both drain: no new request, running ones finish, exit 0.
"""

import asyncio
import contextlib
import logging
import resource
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import uvicorn

from core import crashpoint, identity, settings, tls, tls_door
from core.errors import TickhouseError
from core.health import Health
from core.identity import User
from core.sections import WarehouseSettings
from warehouse.access import allowances
from warehouse.access.gate import Gate, check_listen
from warehouse.engine.engine import Chdb
from warehouse.protocol.app import App
from warehouse.protocol.connections import Connection

_DRAIN_S = 30


def serve(home: Path, listen: str, port: int, own: Mapping[str, tuple[User, str]]) -> int:
    """Serve the warehouse of a home. Returns the exit status.

    Args:
        home: its folder.
        listen: an address.
        port: 0 chooses a free one.
        own: the home's processes as users, with their passwords.
    """
    _allow_files()
    users = identity.path_in(home)
    try:
        config = settings.load()
        crashpoint.arm_for("warehouse", config.chaos.crash_at, home / "run")
        check_listen(listen, users)
        listener = _listen(listen, port)
        tls.serving(home)  # what is wrong with its files is said now
        engine = Chdb(home / "warehouse", config.warehouse.memory_mib)
        gate = Gate(users, engine.parser, own)
        _notice(engine)
    except TickhouseError as error:
        print(f"warehouse: {error}", file=sys.stderr)
        return 1
    health, url_file = Health("warehouse", home / "run"), home / "run" / "warehouse.url"
    try:
        asyncio.run(_serve(_app(engine, gate, config.warehouse), listener, health, url_file, home))
    finally:
        url_file.unlink(missing_ok=True)
        engine.close()
        health.close()
    return 0


def _app(engine: Chdb, gate: Gate, config: WarehouseSettings) -> App:
    largest = config.largest_statement_mib << 20
    return App(engine, gate, hosts=config.hosts, largest_statement=largest)


def _notice(engine: Chdb) -> None:
    made_for = allowances.lists().engine
    if engine.version != made_for:
        print(
            f"warehouse: the lists of what roles may do were made for engine {made_for}, this is "
            f"{engine.version}: what is new in it is for admins, what is gone is "
            f"{' '.join(allowances.unknown(engine.names)) or 'nothing'}",
            file=sys.stderr,
        )


def _allow_files() -> None:
    # The engine holds three files per thread besides those of its tables: 1024 would be few.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _listen(host: str, port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only on sockets that say TCP; without it an answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise TickhouseError(
            f"{host}:{port} cannot be listened on ({error}): stop what uses it, or choose another "
            "port or address with --port and --listen"
        ) from error
    return listener


async def _serve(
    app: App, listener: socket.socket, health: Health, url_file: Path, home: Path
) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=tls_door.behind(tls.serving(home), Connection),
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            proxy_headers=False,  # who asks is who is connected, whatever he says
            timeout_keep_alive=600,
            timeout_graceful_shutdown=_DRAIN_S,
        )
    )
    # An answer that fails in mid-stream is left unfinished on purpose; no error of the server.
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: "without completing response" not in record.getMessage()
    )
    # uvicorn would raise the signal again after draining, and the process would not exit 0.
    server.capture_signals = contextlib.nullcontext

    def stop() -> None:
        health.set("stopping")
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    host, port = listener.getsockname()
    url = f"{tls.scheme(home)}://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    url_file.write_text(url)
    health.set("ready", url)
    print(f"warehouse: {url}", flush=True)
    await serving
    app.close()
