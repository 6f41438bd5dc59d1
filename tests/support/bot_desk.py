"""A bot without Telegram: what people write goes in, what would be sent comes out."""

import asyncio
from pathlib import Path

from bot.acts import Acts
from bot.chat import Chat
from bot.codes import Codes
from bot.commands import Commands
from bot.incoming import Incoming
from bot.memory import Memory
from bot.outgoing import Outgoing
from bot.people import People
from bot.questions import Questions
from core.clock import ManualClock
from core.sections import BotSettings
from core.settings import Settings
from dashboards.live.items import Items

START_US = 1_794_830_400_000_000
ANN, BERT, STRANGER = 1, 2, 3  # of Telegram; ann may act, bert may only look
CHAT = 100
LISTED = BotSettings(chats=("100", "-200"), people=("1=ann:risk", "2=bert:analyst"))


class BotDesk:
    """One home's bot on a clock of its own."""

    def __init__(self, home: Path, settings: BotSettings = LISTED, **sections: object) -> None:
        self.home, self.clock, self.items = home, ManualClock(START_US), Items()
        self.settings = Settings(home=str(home), bot=settings, **sections)  # type: ignore[arg-type]
        self.said: list[Outgoing] = []
        self.number = 500
        self.restart()

    def restart(self) -> None:
        """As after a kill: what is not on disk is gone."""
        self.memory = Memory(self.home, self.clock)
        self.questions = Questions(self.clock)
        codes = Codes(self.home, self.clock)
        acts = Acts(self.settings, self.clock)
        self.commands = Commands(self.items, self.settings, self.clock, acts, codes, self.questions)
        people = People(self.settings)
        self.chat = Chat(
            people, self.memory, self.commands, self.questions, self.settings.bot, self.clock,
            self.said.append,
        )  # fmt: skip
        self.chat.own_name = "desk_bot"

    def wait_us(self, us: int) -> None:
        """Time passes."""
        self.clock.advance(self.clock.now_us() + us)

    def write(self, text: str, person: int = ANN, chat: int = CHAT, ago_s: int = 0) -> list[str]:
        """Somebody writes; the texts that come back."""
        self.number += 1
        return self.take(self.update(text, person, chat, ago_s))

    def update(self, text: str, person: int = ANN, chat: int = CHAT, ago_s: int = 0) -> Incoming:
        time_s = self.clock.now_us() // 1_000_000 - ago_s
        return Incoming(self.number, chat, person, time_s, text=text)

    def press(self, label: str, person: int = ANN, chat: int = CHAT) -> list[str]:
        """Somebody presses the newest button of that label."""
        return self.take(self.pressed(label, person, chat))

    def pressed(self, label: str, person: int = ANN, chat: int = CHAT) -> Incoming:
        carried = [b.carries for out in self.said for b in out.buttons if b.label == label]
        self.number += 1
        return Incoming(self.number, chat, person, 0, button=carried[-1], press="p", message=9)

    def take(self, *updates: Incoming) -> list[str]:
        """What the bot says to some updates."""
        before = len(self.said)

        async def run() -> None:
            for update in updates:
                await self.chat.take(update)
            await self.chat.settle()

        asyncio.run(run())
        return [out.text for out in self.said[before:]]
