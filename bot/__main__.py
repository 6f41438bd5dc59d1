"""The bot's process: `python -m bot`, which `tickhouse bot` and `tickhouse up --bot` start.

It owns `<home>/bot`, what it must not forget. Bus and warehouse may be away: it says so, and halts
all the same. SIGTERM ends it with 0.
"""

import asyncio
import logging
import sys
from urllib.parse import urlsplit

from adapters.bus.base import Bus
from adapters.bus.join import join
from bot.acts import Acts
from bot.chat import Chat
from bot.codes import Codes
from bot.commands import Commands
from bot.door import Door, TakenError, TooFastError
from bot.memory import Memory
from bot.news import News
from bot.outbox import Outbox
from bot.people import People
from bot.questions import Questions
from core import log, settings
from core.clock import SystemClock
from core.errors import SettingsError, UnavailableError
from core.home_users import as_process
from core.process import Process
from core.settings import Settings
from dashboards.live.now import Now

_FIRST_WAIT_S, _LONGEST_WAIT_S, _REFUSED_WAIT_S = 1.0, 30.0, 60.0
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
        asyncio.run(_Bot(config, bus, process, people).run())
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


class _Bot:
    """The parts, in one event loop."""

    def __init__(self, config: Settings, bus: Bus, process: Process, people: People) -> None:
        self._config, self._bus, self._process, self._people = config, bus, process, people
        self._problems = {"in": "", "out": ""}

    async def run(self) -> None:
        """Until the process is told to stop."""
        config, clock = self._config, SystemClock()
        now = Now(config, self._bus, clock)
        door = Door(config.bot.token, config.bot.server)
        memory, questions = Memory(config.home_path, clock), Questions(clock)
        codes = Codes(config.home_path, memory, clock)
        commands = Commands(now.items, config, clock, Acts(config, clock), codes, questions)
        outbox = Outbox(door.send, clock, lambda problem: self._tell("out", problem))
        chat = Chat(self._people, memory, commands, questions, config.bot, clock, outbox.put)
        news = News(
            now.items, memory, commands, config.bot.tells, self._people.chats, clock.now_us()
        )
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._process.stopping.then(lambda: loop.call_soon_threadsafe(stopped.set))
        tasks = [
            asyncio.create_task(work)
            for work in (self._read(door, memory, chat), outbox.run(), news.run(outbox.put))
        ]
        ended = asyncio.create_task(stopped.wait())
        await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await now.close()
        await door.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _read(self, door: Door, memory: Memory, chat: Chat) -> None:
        """Ask Telegram for updates for ever; what goes wrong is told and tried again."""
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                if not door.name:
                    await door.open()
                    chat.own_name = door.name
                self._tell("in", "")
                for update in await door.updates(memory.offset):
                    await chat.take(update)
                wait_s = _FIRST_WAIT_S
            except TooFastError as error:
                await asyncio.sleep(error.wait_s)
            except (UnavailableError, TakenError, SettingsError) as error:
                refused = isinstance(error, SettingsError)
                self._tell("in", str(error))
                await asyncio.sleep(_REFUSED_WAIT_S if refused else wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
            except Exception as error:  # an update that nobody understands must not end the rest
                _log.exception("updates cannot be read")
                self._tell("in", f"updates cannot be read: {type(error).__name__}")
                await asyncio.sleep(_LONGEST_WAIT_S)

    def _tell(self, way: str, problem: str) -> None:
        """Health, and the log at each change."""
        if problem and problem != self._problems[way]:
            _log.warning("%s", problem)
        self._problems[way] = problem
        worst = self._problems["in"] or self._problems["out"]
        self._process.health.set("degraded" if worst else "ready", worst)


if __name__ == "__main__":
    sys.exit(log.exit_code(main))
