"""Asks Telegram for updates, for ever: what goes wrong is told and tried again.

A token that Telegram does not know, an update that the library does not understand, another process
on the same bot: none of them ends this one, which goes on telling alerts and says what is wrong.
"""

import asyncio
import logging
from collections.abc import Callable

from bot.chat import Chat
from bot.door import Door, TakenError, TooFastError
from bot.memory import Memory
from core.errors import SettingsError, UnavailableError

_FIRST_WAIT_S, _LONGEST_WAIT_S, _REFUSED_WAIT_S = 1.0, 30.0, 60.0
_log = logging.getLogger(__name__)


async def read(door: Door, memory: Memory, chat: Chat, tell: Callable[[str], None]) -> None:
    """Give every update to the chat. `tell`: what is wrong now, "" when nothing is."""
    wait_s = _FIRST_WAIT_S
    while True:
        try:
            await _read_once(door, memory, chat, tell)
            wait_s = _FIRST_WAIT_S
        except TooFastError as error:
            await asyncio.sleep(error.wait_s)
        except (UnavailableError, TakenError) as error:
            tell(str(error))
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
        except SettingsError as error:
            tell(str(error))
            await asyncio.sleep(_REFUSED_WAIT_S)
        except Exception as error:
            _log.exception("updates cannot be read")
            tell(f"updates cannot be read: {type(error).__name__}")
            await asyncio.sleep(_LONGEST_WAIT_S)


async def _read_once(door: Door, memory: Memory, chat: Chat, tell: Callable[[str], None]) -> None:
    if not door.name:
        await door.open()
        chat.own_name = door.name
        tell("")
    updates = await door.updates(memory.offset)
    tell("")
    for update in updates:
        await chat.take(update)
