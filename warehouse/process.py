"""Serving: listener, engine, gate and HTTP put together, until SIGTERM or SIGINT.

Both drain: no new request, running ones finish within some seconds or are cancelled, exit 0. A
statement that the engine cannot cancel is left behind with the process: exit 1.
"""

import asyncio
import contextlib
import logging
import os
import resource
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import uvicorn

from core import crashpoint, garbage, memory, tls_door
from core.errors import TickhouseError
from core.identity import User
from core.process import Process
from core.sections import WarehouseSettings
from core.settings import Settings
from warehouse.access import allowances
from warehouse.access.gate import Gate, check_listen
from warehouse.engine import library
from warehouse.engine.engine import Chdb
from warehouse.protocol.app import App
from warehouse.protocol.connections import Connection

_DRAIN_S = 5  # of the supervisor's patience (cli/stack/process_spec.py): closing takes time too
_AGAIN_S = 1.0
_LEAVE_S = 14  # after that nothing is waited for; the supervisor would kill it later
_log = logging.getLogger("warehouse")


def serve(
    home: Path,
    config: Settings,
    listen: str,
    port: int,
    users: Path,
    own: Mapping[str, tuple[User, str]],
    door: ssl.SSLContext | None,
) -> int:
    """Serve the warehouse of a home. Returns the exit status.

    Args:
        home: its folder.
        config: read before the process gave up reading.
        listen: an address.
        port: 0 chooses a free one.
        users: the file of people.
        own: the home's processes as users, with their passwords.
        door: its side of TLS, read before too; None for plain HTTP.
    """
    _allow_files()
    try:
        crashpoint.arm_for("warehouse", config.chaos.crash_at, home / "run")
        check_listen(listen, users)
        listener = _listen(listen, port)
        engine = Chdb(home / "warehouse", config.warehouse.memory_mib)
        gate = Gate(users, engine.parser, own)
        _notice(engine)
    except TickhouseError as error:
        print(f"warehouse: {error}", file=sys.stderr)
        return 1
    url_file = home / "run" / "warehouse.url"
    with Process("warehouse", home / "run") as process:
        process.closing(engine.close)
        process.settling(lambda: memory.page_out(library.FILE))
        process.closing(lambda: url_file.unlink(missing_ok=True))
        leave_anyway(process.stopping, _LEAVE_S)
        app = _app(engine, gate, config.warehouse)
        with _cancelling_late(engine, process.stopping):
            asyncio.run(_serve(app, listener, process, url_file, door))
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


@contextlib.contextmanager
def _cancelling_late(engine: Chdb, stopping: threading.Event) -> Iterator[None]:
    """Within it: what still runs some seconds after `stopping` was set is cancelled."""
    drained = threading.Event()

    def cancel() -> None:
        stopping.wait()
        drained.wait(_DRAIN_S)
        while not drained.wait(_AGAIN_S):  # also what stood in line and has begun since
            engine.kill("")  # every one

    thread = threading.Thread(target=cancel, name="late statements")
    thread.start()
    try:
        yield
    finally:
        drained.set()
        stopping.set()
        thread.join()


def leave_anyway(stopping: threading.Event, after_s: float) -> None:
    """End the process some seconds after `stopping` was set, whatever still runs.

    Some statements wait in the engine for ever and hear no cancelling. Nothing is lost by leaving:
    what was answered is on disk, and a part that is half-written is no part.
    """

    def leave() -> None:
        stopping.wait()
        time.sleep(after_s)
        _log.error("a statement cannot be cancelled: the process ends without it")
        os._exit(1)

    threading.Thread(target=leave, name="leave anyway", daemon=True).start()


async def _serve(
    app: App,
    listener: socket.socket,
    process: Process,
    url_file: Path,
    door: ssl.SSLContext | None,
) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=tls_door.behind(door, Connection),
            ws="none",
            lifespan="off",
            log_level="warning",
            log_config=None,  # through our own log, like everything else
            access_log=False,
            proxy_headers=False,  # who asks is who is connected, whatever he says
            timeout_keep_alive=600,
            timeout_graceful_shutdown=2 * _DRAIN_S,
        )
    )
    # An answer that fails in mid-stream is left unfinished on purpose; no error of the server.
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: "without completing response" not in record.getMessage()
    )
    # uvicorn would raise the signal again after draining, and the process would not exit 0.
    server.capture_signals = contextlib.nullcontext

    def stop() -> None:
        process.health.set("stopping")
        server.should_exit = True

    process.stopping.then(stop)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    host, port = listener.getsockname()
    scheme = "https" if door else "http"
    url = f"{scheme}://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    url_file.write_text(url)
    garbage.started()
    process.health.set("ready", url)
    print(f"warehouse: {url}", flush=True)
    await serving
    app.close()
