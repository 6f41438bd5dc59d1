"""The API's process: `python -m api [--port N]`, which `tickhouse api` and `up --api` start.

It owns nothing. Bus and warehouse may be away: what is now says so, lists are answered 503, and a
halt works all the same. SIGTERM ends it with 0.
"""

import argparse
import asyncio
import logging
import socket
import sys
import time
from collections.abc import Sequence

from adapters.bus.base import Bus
from adapters.bus.join import join
from api.application import application
from api.cache import Cache
from api.callers import Callers
from api.control import Control
from api.history import History
from api.keys import KeyRing
from api.more import More
from api.now import NowLists
from api.persons import Persons
from api.rate import Rate
from api.stream import Streams
from api.warehouse import ApiWarehouse
from core import log, settings
from core.clock import SystemClock
from core.home_users import API, as_process
from core.process import Process
from core.settings import Settings
from core.watched_file import LOOK_S
from dashboards.live.now import Now, first_answer
from dashboards.live.serving import listen, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m api", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    port = parser.parse_args(arguments).port
    config = as_process(settings.load(), API)
    log.setup("api")
    for library in ("urllib3", "clickhouse_connect"):  # we say ourselves that it is away
        logging.getLogger(library).setLevel(logging.ERROR)
    with Process("api", config.home_path / "run") as process:
        bus = join(process, config, "api")
        with asyncio.Runner(loop_factory=_loop) as runner:
            runner.run(_serve(config, bus, process, listen(port)))
    return 0


def _loop() -> asyncio.AbstractEventLoop:
    """The fastest there is: on Windows there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _serve(
    config: Settings, bus: Bus, process: Process, listener: socket.socket
) -> None:  # fmt: skip
    clock, home = SystemClock(), config.home_path
    await first_answer(bus)
    now = Now(config, bus, clock)
    warehouse = ApiWarehouse(config.clickhouse)
    cache = Cache(config.api.cache_mib * 2**20)
    streams = Streams(now.items)
    app = application(
        Callers(
            home, KeyRing(home, LOOK_S), Rate(time.monotonic), clock, LOOK_S, Persons(config, clock)
        ),
        NowLists(now.items),
        History(warehouse, cache, config.run, time.monotonic), More(config, warehouse, clock),
        Control(config, clock), streams,
    )  # fmt: skip
    await serve(app, home, process, listener, "API", streams.closing.set)
    warehouse.close()
    await now.close()


if __name__ == "__main__":
    sys.exit(log.exit_code(main))
