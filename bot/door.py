"""The way to Telegram and back: the one module that knows python-telegram-bot.

The library speaks the Bot API (and multipart, and its errors); when to ask, what to believe and how
often to try again is ours. Its errors may repeat addresses, and addresses hold the token: what
leaves here is masked, and the HTTP client's own log, which writes addresses, is silent.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from bot.incoming import Incoming
from bot.outgoing import Button, Outgoing
from core.errors import SettingsError, TickhouseError, UnavailableError
from core.secrets import masked

LONG_POLL_S = 25
_LONGEST_TEXT, _LONGEST_CAPTION = 4096, 1024
_WANTED = ["message", "callback_query"]


class TooFastError(TickhouseError):
    """Telegram wants to be left alone for `wait_s` seconds. Retry after them."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(f"Telegram takes nothing for {wait_s:g} s")


class RefusedError(TickhouseError):
    """Telegram will never take this message. Skip it."""


class TakenError(TickhouseError):
    """Another process reads this bot's updates, or a webhook does. Retry; end the other."""


class Door:
    """One bot at one server, from `open` on. Used from one event loop."""

    def __init__(self, token: str, server: str) -> None:
        for name in ("httpx", "httpcore", "telegram"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        slow = HTTPXRequest(connection_pool_size=1, read_timeout=LONG_POLL_S + 10)
        self._bot = Bot(token, base_url=f"{server.rstrip('/')}/bot", get_updates_request=slow)
        self.name = ""  # of the bot, without @

    async def open(self) -> None:
        """Ask who we are.

        Raises:
            SettingsError: Telegram does not know the token.
            UnavailableError: nobody answers.
        """
        async with _translated():
            await self._bot.initialize()
            self.name = self._bot.username

    async def close(self) -> None:
        """Close the connections."""
        async with _translated():
            await self._bot.shutdown()

    async def updates(self, offset: int | None) -> list[Incoming]:
        """What came from `offset` on; waits up to LONG_POLL_S. What we do not understand is empty.

        Raises:
            UnavailableError, TooFastError, TakenError, SettingsError: as the classes say.
        """
        async with _translated():
            updates = await self._bot.get_updates(
                offset=offset, timeout=timedelta(seconds=LONG_POLL_S), allowed_updates=_WANTED
            )
        return [_incoming(update) for update in updates]

    async def send(self, out: Outgoing) -> None:
        """Send, or put in the place of what it edits.

        Raises:
            UnavailableError, TooFastError, RefusedError, SettingsError: as the classes say.
        """
        async with _translated():
            if out.press:
                await self._heard(out.press)
            if out.edits:
                await self._edit(out)
            elif out.picture:
                await self._bot.send_photo(
                    out.chat, out.picture, caption=_cut(out.text, _LONGEST_CAPTION),
                    filename="chart.png", reply_markup=_keyboard(out.buttons),
                )  # fmt: skip
            elif out.text:
                await self._bot.send_message(
                    out.chat, _cut(out.text, _LONGEST_TEXT), reply_markup=_keyboard(out.buttons)
                )

    async def _heard(self, press: str) -> None:
        """An old press cannot be answered any more, which keeps nobody from the rest."""
        try:
            await self._bot.answer_callback_query(press)
        except BadRequest as error:
            logging.getLogger(__name__).info("a pressed button was too old: %s", masked(str(error)))

    async def _edit(self, out: Outgoing) -> Message | bool:
        return await self._bot.edit_message_text(
            _cut(out.text, _LONGEST_TEXT), chat_id=out.chat, message_id=out.edits,
            reply_markup=_keyboard(out.buttons),
        )  # fmt: skip


def _incoming(update: Update) -> Incoming:
    """Ours; without a chat when it is none of what we read."""
    if (pressed := update.callback_query) is not None and pressed.message is not None:
        shown = pressed.message
        return Incoming(
            update.update_id, shown.chat.id, pressed.from_user.id, _seconds(shown),
            button=pressed.data or "", press=pressed.id, message=shown.message_id,
        )  # fmt: skip
    if (message := update.message) is not None:
        person = message.from_user.id if message.from_user else 0
        return Incoming(
            update.update_id, message.chat.id, person, _seconds(message), text=message.text or ""
        )
    return Incoming(update.update_id, 0, 0, 0)


def _seconds(message: Any) -> int:
    return int(message.date.timestamp())


def _keyboard(buttons: tuple[Button, ...]) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(label, callback_data=carries) for label, carries in buttons]]
    )


def _cut(text: str, most: int) -> str:
    """Telegram counts UTF-16 units; who writes so much can do without the end."""
    if len(text.encode("utf-16-le")) // 2 <= most:
        return text
    head = text.encode("utf-16-le")[: (most - 20) * 2].decode("utf-16-le", "ignore")
    return f"{head.rpartition(chr(10))[0] or head}\n(more is left out)"


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """The library's errors as ours; nothing of an address in them."""
    try:
        yield
    except TelegramError as error:
        raise _translate(error) from None


def _translate(error: TelegramError) -> TickhouseError:
    text = masked(str(error))
    match error:
        case RetryAfter():
            after = error.retry_after
            return TooFastError(after.total_seconds() if isinstance(after, timedelta) else after)
        case InvalidToken():
            return SettingsError("bot.token: Telegram does not know it; ask BotFather for another")
        case Conflict():
            return TakenError(f"another process reads this bot: {text}")
        case BadRequest() | Forbidden() | ChatMigrated():
            return RefusedError(f"Telegram refused it: {text}")
        case NetworkError():
            return UnavailableError(f"Telegram does not answer: {text}")
    return RefusedError(f"Telegram refused it: {text}")
