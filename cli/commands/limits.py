"""`tickhouse limits show|check FILE|install FILE`: what may be traded, and its next version.

A running execution takes an installed file within some milliseconds, and a replay takes it as
part of what it is a replay of.
"""

import argparse
from pathlib import Path

from cli.login import sign
from core import durable
from core.clock import SystemClock
from core.errors import InputError
from core.settings import Settings
from execution.risk.limits import LimitsBook, of_settings, parse, render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which file."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("show", help="the limits that hold, as a file to start from")
    actions.add_parser("check", help="whether a file could be installed").add_argument("file")
    install = actions.add_parser("install", help="make a file the limits; needs a login")
    install.add_argument("file")
    install.add_argument("--by", required=True, metavar="WHO", help="your user name")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    installed = settings.home_path / "limits.toml"
    if namespace.action == "show":
        book = _read(installed)[0] if installed.exists() else of_settings(settings.execution)
        print(f"# in force: {book.version}\n{render(book)}", end="")
        return 0
    book, content = _read(Path(namespace.file))
    if namespace.action == "check":
        print(f"{namespace.file}: good, would be version {book.version}")
        return 0
    detail = f"{namespace.file} as {book.version}"
    sign(
        settings, SystemClock(), namespace.by, "limits install", detail, subject="limits.toml",
        payload={"version": book.version, "content": content.decode()},
    )  # fmt: skip
    durable.write(installed, content)
    print(f"Limits {book.version} hold now ({namespace.by}).")
    return 0


def _read(path: Path) -> tuple[LimitsBook, bytes]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"{error.strerror}; name a limits file") from error
    return parse(content, str(path)), content
