"""The live page's process: `python -m dashboards.live [--port N]`.

It owns nothing: what it shows comes from bus and warehouse, and either may be away. SIGTERM ends
it with 0.
"""

import argparse
import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from adapters.bus.base import Bus
from adapters.bus.join import join
from core import log, settings, tls, tls_door
from core.clock import Clock, SystemClock
from core.controls.store import is_begun, place_of
from core.errors import TickhouseError
from core.home_users import as_process
from core.process import Process
from core.settings import Settings
from dashboards.compliance.door import Door
from dashboards.live import pages
from dashboards.live.alert_answers import AlertAnswers
from dashboards.live.controls import Controls
from dashboards.live.feed_regimes import FeedRegimes
from dashboards.live.now import Now
from dashboards.live.older_bars import OlderBars
from dashboards.live.risk_page import RiskPage
from dashboards.live.sign_in import SignIn
from dashboards.live.trace_page import TracePage
from dashboards.live.viewers import Viewers

if TYPE_CHECKING:
    from dashboards.compliance.room import Room


def main() -> int:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.live", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    port = parser.parse_args().port
    config = as_process(settings.load(), "board")
    log.setup("board")
    for library in ("urllib3", "clickhouse_connect"):  # the page itself says that it is away
        logging.getLogger(library).setLevel(logging.ERROR)
    with Process("board", config.home_path / "run") as process:
        bus = join(process, config, "board")
        asyncio.run(_serve(config, bus, process, listen(port)))
    return 0


async def _serve(config: Settings, bus: Bus, process: Process, listener: socket.socket) -> None:
    clock = SystemClock()
    now = Now(config, bus, clock)
    loop = asyncio.get_running_loop()
    place = place_of(config.home_path, config.controls)
    signed = partial(is_begun, place)
    older = OlderBars(config.clickhouse)
    signing_in = SignIn(config.home_path, clock)
    controls = Controls(config.home_path, signing_in, clock, signed)
    is_real = config.terminal.kind != "simulated"
    answers = AlertAnswers(config.home_path, signing_in, clock, is_real=is_real)
    trace = TracePage(config.clickhouse)
    risk = RiskPage(config.clickhouse, config.run)
    regimes = FeedRegimes(config.clickhouse, config.run)
    door = Door(config.home_path, signing_in, controls.one_guess)
    room = _room(config, clock, door, signed)
    page = pages.application(
        Viewers(now.items),
        controls,
        answers,
        older.answer,
        trace.answer,
        risk.answer,
        regimes.answer,
        room,
    )
    server = _server(page, config.home_path)
    process.stopping.then(lambda: loop.call_soon_threadsafe(_stop, server, process))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    url = f"{tls.scheme(config.home_path)}://127.0.0.1:{listener.getsockname()[1]}"
    process.health.set("ready", url)
    logging.getLogger("board").info("live page at %s", url)
    await serving
    await now.close()


def _room(config: Settings, clock: Clock, door: Door, signed: Callable[[], bool]) -> "Room | None":
    """The room for compliance staff; none where what reports need is not installed."""
    if any(find_spec(name) is None for name in ("lxml", "stdnum", "typst")):
        return None
    from dashboards.compliance.room import furnished

    return furnished(config, clock, door, signed)


def _server(app: object, home: Path) -> uvicorn.Server:
    server = uvicorn.Server(
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
    server.capture_signals = contextlib.nullcontext
    return server


def _stop(server: uvicorn.Server, process: Process) -> None:
    process.health.set("stopping")
    server.should_exit = True


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


if __name__ == "__main__":
    sys.exit(log.exit_code(main))
