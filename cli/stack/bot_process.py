"""The bot as part of `tickhouse up`: it only looks and halts, nothing waits for it."""

import sys
from importlib.util import find_spec

from cli.stack.process_spec import ProcessSpec
from core.errors import SettingsError
from core.settings import Settings

NAME = "bot"


def bot_process(settings: Settings) -> ProcessSpec:
    """Its process.

    Raises:
        SettingsError: the extra is not installed, or what it needs is not set.
    """
    check_installed()
    if not settings.bot.token or not settings.bot.chats:
        raise SettingsError("the bot needs TICKHOUSE_BOT__TOKEN_FILE and TICKHOUSE_BOT__CHATS")
    return ProcessSpec(NAME, (sys.executable, "-m", "bot"), waited_for=False)


def check_installed() -> None:
    """Whether there is a way to Telegram.

    Raises:
        SettingsError: there is none.
    """
    if find_spec("telegram") is None:
        raise SettingsError("the bot is an extra: pip install 'tickhouse[bot]'")
