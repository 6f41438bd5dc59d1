"""The bot's process: `python -m bot`, which `tickhouse bot` and `tickhouse up --bot` start.

It owns `<home>/bot`, what it must not forget. Bus and warehouse may be away: it says so, and halts
all the same. SIGTERM ends it with 0.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from adapters.bus.base import Bus
from adapters.bus.join import join
from bot.acts import Acts
from bot.chat import Chat
from bot.codes import Codes
from bot.commands import Commands
from bot.door import Door
from bot.memory import Memory
from bot.news import News
from bot.outbox import Outbox
from bot.people import People
from bot.questions import Questions
from bot.reading import read
from core import log, settings
from core.clock import SystemClock
from core.errors import SettingsError
from core.home_users import as_process
from core.process import Process
from core.settings import Settings
from dashboards.live.now import Now, first_answer

_LAST_WORDS_S = 5.0  # to answer what was taken up, when told to stop
_log = logging.getLogger(__name__)


def main() -> int:
    """Answer until a signal."""
    config = as_process(settings.load(), "bot")
    log.setup("bot")
    for library in ("urllib3", "clickhouse_connect"):  # the bot itself says that it is away
        logging.getLogger(library).setLevel(logging.ERROR)
    people = People(config)
    if not config.bot.token:
        raise SettingsError("bot.token is not set: TICKHOUSE_BOT__TOKEN_FILE names its file")
    if not people.chats:
        raise SettingsError("bot.chats is empty: nobody would be answered; list the chats' ids")
    _check_server(config.bot.server)
    with Process("bot", config.home_path / "run") as process:
        bus = join(process, config, "bot")
        asyncio.run(_run(config, bus, process, people))
    return 0


def _check_server(server: str) -> None:
    """The token travels in the address, so only encrypted, or within this machine.

    Raises:
        SettingsError: neither.
    """
    where = urlsplit(server)
    if where.scheme == "https" or (where.scheme == "http" and where.hostname == "127.0.0.1"):
        return
    raise SettingsError("bot.server: give https://host, or http://127.0.0.1:port of a server here")


async def _run(config: Settings, bus: Bus, process: Process, people: People) -> None:
    """All parts in one event loop, until the process is told to stop."""
    clock, health = SystemClock(), _BotHealth(process)
    await first_answer(bus)  # a halt does not wait for longer
    now = Now(config, bus, clock)
    door = Door(config.bot.token, config.bot.server)
    memory, questions = Memory(config.home_path, clock), Questions(clock)
    codes = Codes(config.home_path, clock)
    commands = Commands(now.items, config, clock, Acts(config, clock), codes, questions)
    outbox = Outbox(door.send, clock, health.way("out"))
    chat = Chat(people, memory, commands, questions, config.bot, clock, outbox.put)
    news = News(now.items, memory, commands, config.bot.tells, people.chats, clock.now_us())
    try:
        await _until_stopped(
            process, read(door, memory, chat, health.way("in")), outbox.run(), news.run(outbox.put)
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await chat.settle()
                await outbox.empty()
    finally:
        await now.close()
        await door.close()


async def _until_stopped(process: Process, *works: Coroutine[Any, Any, None]) -> None:
    """Run these until then; one that ends by an error ends all."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    process.stopping.then(lambda: loop.call_soon_threadsafe(stopped.set))
    tasks = [asyncio.create_task(work) for work in (stopped.wait(), *works)]
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for task in done:
        task.result()


class _BotHealth:
    """The process's health: what is wrong on the way in, or out."""

    def __init__(self, process: Process) -> None:
        self._process, self._problems = process, dict[str, str]()

    def way(self, name: str) -> Callable[[str], None]:
        """Where a way says its problem, "" when it has none; the log has each once."""

        def tell(problem: str) -> None:
            if problem and problem != self._problems.get(name):
                _log.warning("%s", problem)
            self._problems[name] = problem
            worst = next(filter(None, self._problems.values()), "")
            self._process.health.set("degraded" if worst else "ready", worst)

        return tell


if __name__ == "__main__":
    sys.exit(log.exit_code(main))
