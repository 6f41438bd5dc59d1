"""`tickhouse bot`: answers on Telegram until Ctrl-C; `tickhouse bot enrol` for one-time codes.

Beside a stack that runs it uses that one's bus and warehouse; without one it says so, and halts.
"""

import argparse
import os

from cli.login import sign
from cli.stack.bot_process import NAME, check_installed
from cli.stack.running import running
from core import totp
from core.clock import SystemClock
from core.errors import SettingsError
from core.log import exit_code
from core.settings import Settings, environment_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Run it, or enrol somebody."""
    parser.add_argument("action", nargs="?", choices=("run", "enrol"), default="run")
    parser.add_argument("--by", default="", metavar="WHO", help="enrol: whose codes")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """The process's exit code."""
    if namespace.action == "enrol":
        return _enrol(namespace.by, settings)
    if stack := running(settings.home_path):
        if NAME in (process.name for process in stack.processes):
            raise SettingsError("the stack of this home runs the bot already")
        os.environ |= environment_of("bus", url=stack.urls["bus"])
        os.environ |= environment_of("clickhouse", url=stack.urls["warehouse"])
    check_installed()
    from bot.__main__ import main

    return exit_code(main)


def _enrol(name: str, settings: Settings) -> int:
    """Show the secret of somebody's codes, which is made now unless there is one."""
    if not name:
        raise SettingsError("say whose codes: tickhouse bot enrol --by NAME")
    sign(settings, SystemClock(), name, "bot enrol", "secret of one-time codes shown")
    secret = totp.secret_of(settings.home_path, name)
    print(f"Into your authenticator app, as a key for codes of time: {totp.typed(secret)}")
    print(f"or as an address: {totp.address(secret, name)}")
    print(f"A new one: remove {totp.path_in(settings.home_path, name)} and enrol again.")
    return 0
