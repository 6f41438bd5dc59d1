"""One update to what is said and done: who writes, is it new, is it too old, which command.

The order is the safety of it. An update counts once, marked before anything is done; a chat or a
person that is not listed gets nothing, not even an error; then age, rate and rights; and what
changes anything is asked about first.
"""

import asyncio
import logging
from collections.abc import Callable

from prometheus_client import Counter

from bot.commands import Commands
from bot.incoming import Command, Incoming, command_of
from bot.memory import Memory
from bot.outgoing import Outgoing
from bot.people import People, Person, may
from bot.questions import NO, Questions
from bot.rate import Rate
from core.clock import Clock
from core.errors import TickhouseError
from core.sections import BotSettings

_SKEW_S = 30  # Telegram's clock before ours
_log = logging.getLogger(__name__)
_STRANGERS = Counter(
    "tickhouse_bot_strangers", "Updates of chats or people that are not listed, unanswered"
)
_REPEATED = Counter("tickhouse_bot_repeated", "Updates that had come before, or came too late")


class Chat:
    """Takes updates in the order they came; what it says goes to `say`."""

    def __init__(
        self, people: People, memory: Memory, commands: Commands, questions: Questions,
        settings: BotSettings, clock: Clock, say: Callable[[Outgoing], None],
    ) -> None:  # fmt: skip
        self._people, self._memory, self._commands = people, memory, commands
        self._questions, self._say, self._clock = questions, say, clock
        self._oldest_s = settings.oldest_s
        self._rate = Rate(settings.per_minute, clock)
        self._working: set[asyncio.Task[None]] = set()
        self.own_name = ""

    async def take(self, update: Incoming) -> None:
        """Take an update up, once; what it asks for is done beside the next ones."""
        if not await asyncio.to_thread(self._memory.take, update.update):
            _REPEATED.inc()
            return
        person = self._people.person(update.chat, update.person)
        if person is None:
            _STRANGERS.inc()
            return
        work = asyncio.create_task(self._guarded(update, person))
        self._working.add(work)
        work.add_done_callback(self._working.discard)

    async def settle(self) -> None:
        """Wait until what was taken up is done."""
        while self._working:
            await asyncio.wait(self._working)

    async def _guarded(self, update: Incoming, person: Person) -> None:
        """Whatever goes wrong with one is said there, and ends nothing else."""
        try:
            await self._answer(update, person)
        except (TickhouseError, OSError) as error:
            self._reply(update, f"Not done: {error}")
        except Exception:
            _log.exception("update %d", update.update)
            self._reply(update, "Not done: something went wrong here; the log of the bot has it.")

    async def _answer(self, update: Incoming, person: Person) -> None:
        if update.press:
            await self._pressed(update, person)
            return
        command = command_of(update.text, self.own_name)
        if (
            command is None
            or not self._is_timely(update, command)
            or not self._may(update, command)
        ):
            return
        for out in await self._commands.answer(command, update.chat, person):
            self._say(out)

    def _is_timely(self, update: Incoming, command: Command) -> bool:
        age_s = self._clock.now_us() / 1e6 - update.time_s
        if -_SKEW_S <= age_s <= self._oldest_s:
            return True
        old = f"/{command.name} is {age_s:.0f} s old" if age_s > 0 else "The clocks differ"
        self._reply(update, f"{old}, so it was NOT executed. Send it again.")
        return False

    def _may(self, update: Incoming, command: Command) -> bool:
        """Not too many in a minute; halting is never refused for it."""
        verdict = "go" if command.name == "halt" else self._rate.verdict(update.chat)
        if verdict == "say":
            self._reply(update, "Too many commands in this minute; /halt is heard all the same.")
        return verdict == "go"

    async def _pressed(self, update: Incoming, person: Person) -> None:
        """A button: the answer to a question, or one under an alert, which asks first."""
        kind, _, token = update.button.partition(":")
        if kind not in ("yes", NO):
            if not may(person, "act"):
                await self._commands.refuse(person, "a button of an alert", "not for the role")
            for out in self._commands.alert_button(kind, token, update.chat, person):
                self._say(out._replace(press=update.press))
            return
        question = self._questions.answered(token, update.chat, update.person)
        if question is None:
            self._say(Outgoing(update.chat, "", press=update.press))
            return
        if kind == NO:
            said = "Nothing was done."
        elif not may(person, question.right):  # it may have been taken from him meanwhile
            said = f"Not done: not for role {person.role}."
            await self._commands.refuse(person, question.text.partition("\n")[0], said)
        else:
            said = await self._act(question.act)
        text = f"{question.text}\n→ {said}"
        self._say(Outgoing(update.chat, text, edits=update.message, press=update.press))

    async def _act(self, act: Callable[[], str]) -> str:
        try:
            return await asyncio.to_thread(act)
        except (TickhouseError, OSError) as error:
            return f"Not done: {error}"

    def _reply(self, update: Incoming, text: str) -> None:
        self._say(Outgoing(update.chat, text, press=update.press))
