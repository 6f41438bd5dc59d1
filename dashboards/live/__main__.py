"""The live page's process: `python -m dashboards.live [--port N]`.

It owns nothing: what it shows comes from bus and warehouse, and either may be away. SIGTERM ends
it with 0.
"""

import argparse
import asyncio
import logging
import socket
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.routing import Route

from adapters.bus.base import Bus
from adapters.bus.join import join
from core import log, settings
from core.clock import Clock, SystemClock
from core.controls.store import is_begun, place_of
from core.errors import SettingsError
from core.home_users import as_process
from core.process import Process
from core.settings import Settings
from dashboards.ask.asking import Asking
from dashboards.ask.page import ROLES as ASK_ROLES
from dashboards.ask.page import AskPage
from dashboards.ask.provider import provider_of
from dashboards.ask.saved import SavedQuestions
from dashboards.entrance.answers import Entrance
from dashboards.entrance.door import Door
from dashboards.entrance.sign_in import SignIn
from dashboards.live import pages
from dashboards.live.alert_answers import AlertAnswers
from dashboards.live.controls import Controls
from dashboards.live.feed_regimes import FeedRegimes
from dashboards.live.now import Now, first_answer
from dashboards.live.older_bars import OlderBars
from dashboards.live.risk_page import RiskPage
from dashboards.live.serving import listen, serve
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
    await first_answer(bus)  # a halt does not wait for longer
    now = Now(config, bus, clock)
    place = place_of(config.home_path, config.controls)
    signed = partial(is_begun, place)
    older = OlderBars(config.clickhouse)
    people = SignIn(config.home_path, clock)
    entrance = Entrance(people, urlsplit(config.oidc.issuer).hostname or "")
    controls = Controls(config.home_path, entrance, clock, signed)
    is_real = config.terminal.kind != "simulated"
    answers = AlertAnswers(config.home_path, entrance, clock, is_real=is_real)
    trace = TracePage(config.clickhouse)
    risk = RiskPage(config.clickhouse, config.run)
    regimes = FeedRegimes(config.clickhouse, config.run)
    door = Door(config.home_path, entrance, ("compliance",))
    analysts = Door(config.home_path, entrance, ASK_ROLES, everybody=True)
    asks = AskPage(
        analysts, Asking(config, clock, provider_of(config, clock)),
        SavedQuestions(config.home_path, clock),
    )  # fmt: skip
    page = pages.application(
        viewers=Viewers(now.items),
        controls=controls,
        alerts=answers,
        older=older.answer,
        trace=trace.answer,
        risk=risk.answer,
        regimes=regimes.answer,
        furnish=partial(_room, config, clock, door, signed),
        more=lambda button: [
            *_by_company(config, people, clock),
            *asks.routes(button),
        ],
    )
    await serve(page, config.home_path, process, listener, "live page")
    await now.close()


def _by_company(config: Settings, people: SignIn, clock: Clock) -> list[Route]:
    """Addresses for signing in at the company's provider, where there is one.

    Raises:
        SettingsError: of a provider that cannot be, or without the packages for it.
    """
    if not config.oidc.issuer:
        return []
    if find_spec("authlib") is None:
        raise SettingsError("oidc.issuer is set: install Tickhouse with its extra oidc")
    from dashboards.entrance.company import BACK, BEGIN, Company

    company = Company(config, people, clock)
    return [Route(BEGIN, company.begin), Route(BACK, company.back)]


def _room(config: Settings, clock: Clock, door: Door, signed: Callable[[], bool]) -> "Room | None":
    """The room for compliance staff; none where what reports need is not installed."""
    if any(find_spec(name) is None for name in ("lxml", "stdnum", "typst")):
        return None
    from dashboards.compliance.room import furnished

    return furnished(config, clock, door, signed)


if __name__ == "__main__":
    sys.exit(log.exit_code(main))
