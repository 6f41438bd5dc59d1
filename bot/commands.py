"""The commands by name, and what each may be done by; /help is written from the same table.

What only looks is answered at once. What changes anything becomes a question with two buttons.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

from bot import desk_texts
from bot.acts import Acts
from bot.chart import chart_of
from bot.codes import Codes
from bot.incoming import Command
from bot.limits_text import limits_text
from bot.outgoing import Button, Outgoing
from bot.past import Past
from bot.people import Person, Right, may
from bot.questions import NO, YES, Questions
from core import trading_control
from core.clock import Clock
from core.errors import TickhouseError
from core.settings import Settings
from dashboards.live.items import Items

_SILENT = "1h"  # of the button under an alert


class _Known(NamedTuple):
    """A command: arguments and meaning for /help, who may, and its answer."""

    words: str
    text: str
    right: Right
    answer: "Callable[[Command, int, Person], Awaitable[Sequence[Outgoing]]]"


class Commands:
    """The commands of one home's bot."""

    def __init__(
        self, items: Items, settings: Settings, clock: Clock, acts: Acts, codes: Codes,
        questions: Questions,
    ) -> None:  # fmt: skip
        self._items, self._settings, self._acts = items, settings, acts
        self._codes, self._questions, self._clock = codes, questions, clock
        self._past = Past(settings)
        text = self._text
        self._known = {
            "status": _Known("", "trading, processes, feeds", "look", text(self._status)),
            "positions": _Known("", "what is held", "look", text(desk_texts.positions)),
            "profit": _Known("", "balance, equity, today", "look", text(desk_texts.profit)),
            "orders": _Known("", "out, filled, denied", "look", text(desk_texts.orders)),
            "signals": _Known("", "decisions, the model now", "look", text(desk_texts.signals)),
            "risk": _Known("", "what can be lost; the firm's rules", "look", self._risk),
            "limits": _Known("", "the limits in force", "look", self._limits),
            "why": _Known("ID", "why an order was, or was not", "look", self._why),
            "chart": _Known("SYMBOL", "candles, fills, position", "look", self._chart),
            "daily": _Known("[DAYS]", "realised, by trading day", "look", self._daily),
            "report": _Known("", "which reports were made", "look", self._report),
            "alerts": _Known("", "what fires; acknowledge, silence", "look", self._alerts),
            "halt": _Known("[REASON]", "no new position; asks", "halt", self._halt),
            "flatten": _Known("CODE [REASON]", "halt and close all; asks", "act", self._flatten),
            "resume": _Known("[REASON]", "trade again; asks", "act", self._resume),
            "help": _Known("", "this list", "halt", self._help),
        }

    async def answer(self, command: Command, chat: int, person: Person) -> Sequence[Outgoing]:
        """What to say to a command."""
        name = "help" if command.name == "start" else command.name  # what Telegram's button says
        known = self._known.get(name)
        if known is None:
            return [Outgoing(chat, "There is no such command: /help lists them.")]
        if not may(person, known.right):
            why = f"/{command.name} is not for role {person.role}."
            if known.right == "act":
                await self.refuse(person, f"/{command.name}", why)
            return [Outgoing(chat, why)]
        return await known.answer(command, chat, person)

    def alert_button(self, kind: str, token: str, chat: int, person: Person) -> list[Outgoing]:
        """A button under an alert: asks before it acknowledges or silences."""
        firing = {short(key): one for key, one in self._alerts_by_key() if may(person, "act")}
        one = firing.get(token)
        if one is None or kind not in ("ack", "hush"):
            over = "not for your role" if not may(person, "act") else "it fires no more"
            return [Outgoing(chat, f"Nothing was done: {over}.")]
        title = f"{one['title']} {one['subject']}".strip()
        if kind == "ack":
            if one["by"]:
                return [Outgoing(chat, f"{title}: {one['by']} acknowledged it before.")]
            act = partial(self._acts.acknowledge, person, str(one["id"]))
            return [self._question(f"Acknowledge {title}?", chat, person, act)]
        act = partial(self._acts.silence, person, str(one["rule"]), str(one["subject"]), _SILENT)
        return [self._question(f"Silence {title} for {_SILENT}?", chat, person, act)]

    def alert(self, one: dict[str, object], chat: int) -> Outgoing:
        """An alert with its buttons."""
        token = short(str(one["id"]))
        buttons = (
            Button("Acknowledge", f"ack:{token}"),
            Button(f"Silence {_SILENT}", f"hush:{token}"),
        )
        return Outgoing(chat, desk_texts.alert(one), "alerts", () if one["by"] else buttons)

    def _text(
        self, write: Callable[[Items], str]
    ) -> "Callable[[Command, int, Person], Awaitable[Sequence[Outgoing]]]":
        async def answer(_: Command, chat: int, __: Person) -> Sequence[Outgoing]:
            return [Outgoing(chat, write(self._items))]

        return answer

    def _status(self, items: Items) -> str:
        return desk_texts.status(items, self._settings.home_path, self._settings.rules)

    def _alerts_by_key(self) -> list[tuple[str, dict[str, object]]]:
        return [(str(one["id"]), one) for one in desk_texts.values(self._items, "alert|")]

    async def _risk(self, _: Command, chat: int, __: Person) -> Sequence[Outgoing]:
        """The firm's rules come from memory: they are said also while the warehouse is away."""
        rules = desk_texts.firm_rules(self._items)
        try:
            known = await asyncio.to_thread(self._past.risk)
        except TickhouseError as error:
            known = f"What can be lost is unknown: {error}"
        return [Outgoing(chat, f"{rules}\n{known}".strip())]

    async def _limits(self, _: Command, chat: int, __: Person) -> Sequence[Outgoing]:
        text = await asyncio.to_thread(limits_text, self._settings, self._clock)
        return [Outgoing(chat, f"{desk_texts.firm_rules(self._items)}\n{text}".strip())]

    async def _why(self, command: Command, chat: int, _: Person) -> Sequence[Outgoing]:
        if not command.words:
            return [Outgoing(chat, "Name an order or signal: /why ID. /orders shows ids.")]
        name = desk_texts.full_id(self._items, command.words[0])
        return [Outgoing(chat, await asyncio.to_thread(self._past.why, name))]

    async def _chart(self, command: Command, chat: int, _: Person) -> Sequence[Outgoing]:
        wanted = command.words[0] if command.words else ""
        feeds = desk_texts.feeds(self._items, wanted)
        if len(feeds) != 1 or not wanted:
            known = ", ".join(desk_texts.feeds(self._items, "")) or "none yet"
            return [Outgoing(chat, f"Name one symbol: /chart SYMBOL. There are: {known}")]
        shown = chart_of(self._items, feeds[0])
        if shown is None:
            return [Outgoing(chat, f"No candles of {feeds[0]} yet.")]
        picture = await asyncio.to_thread(shown.png)
        return [Outgoing(chat, shown.title, picture=picture)]

    async def _daily(self, command: Command, chat: int, _: Person) -> Sequence[Outgoing]:
        word = command.words[0] if command.words else "7"
        if not (word.isascii() and word.isdigit() and len(word) < 4):
            return [Outgoing(chat, "Give a number of days: /daily 7")]
        return [Outgoing(chat, await asyncio.to_thread(self._past.daily, int(word)))]

    async def _report(self, _: Command, chat: int, __: Person) -> Sequence[Outgoing]:
        return [Outgoing(chat, await asyncio.to_thread(self._past.reports))]

    async def _alerts(self, _: Command, chat: int, __: Person) -> Sequence[Outgoing]:
        firing = [
            self.alert(one, chat)._replace(kind="answers") for _, one in self._alerts_by_key()
        ]
        return firing or [Outgoing(chat, "No alert fires.")]

    async def _halt(self, command: Command, chat: int, person: Person) -> Sequence[Outgoing]:
        reason = command.reason() or "by Telegram"
        act = partial(self._acts.halt, person, reason, "keep")
        text = f"Halt trading? Positions keep their stops.\nReason: {reason}"
        return [self._question(text, chat, person, act, "halt")]

    async def _flatten(self, command: Command, chat: int, person: Person) -> Sequence[Outgoing]:
        given = command.words[0] if command.words else ""
        problem = await asyncio.to_thread(self._codes.problem, person.name, given)
        if problem:
            await self.refuse(person, "/flatten", problem)
            return [Outgoing(chat, problem)]
        reason = command.reason(1) or "by Telegram"
        act = partial(self._acts.halt, person, reason, "flatten")
        held = desk_texts.positions(self._items)
        text = f"Halt trading and CLOSE all positions?\n{held}\nReason: {reason}"
        return [self._question(text, chat, person, act)]

    async def _resume(self, command: Command, chat: int, person: Person) -> Sequence[Outgoing]:
        held = trading_control.current(self._settings.home_path)
        if held is None or held.state == "active":
            return [Outgoing(chat, "Trading is active; there is nothing to resume.")]
        reason = command.reason()
        if not reason:
            return [Outgoing(chat, "Say why: /resume REASON. It is kept.")]
        now = desk_texts.trading(self._settings.home_path)
        signs = self._acts.needs_signature()
        text = "Prepare to resume? People sign it then." if signs else "Resume trading?"
        act = partial(self._acts.resume, person, reason)
        return [self._question(f"{text}\n{now}\nReason: {reason}", chat, person, act)]

    async def refuse(self, person: Person, what: str, why: str) -> None:
        """Chain that somebody who is known here was refused."""
        await asyncio.to_thread(self._acts.refused, person, what, why)

    async def _help(self, _: Command, chat: int, person: Person) -> Sequence[Outgoing]:
        lines = [
            f"/{name} {known.words}".strip() + f": {known.text}"
            for name, known in self._known.items()
            if may(person, known.right)
        ]
        return [Outgoing(chat, "\n".join([f"You are {person.name} ({person.role}).", *lines]))]

    def _question(
        self, text: str, chat: int, person: Person, act: Callable[[], str], right: Right = "act"
    ) -> Outgoing:
        token = self._questions.ask(text, chat, person, right, act)
        buttons = (Button("Yes", f"{YES}:{token}"), Button("No", f"{NO}:{token}"))
        return Outgoing(chat, text, buttons=buttons)


def short(alert_id: str) -> str:
    """An alert's id as a button can carry it."""
    return hashlib.blake2b(alert_id.encode(), digest_size=12).hexdigest()
