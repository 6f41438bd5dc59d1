"""`tickhouse limits show|check FILE|install FILE|firm`: what may be traded, and its next version.

A running execution takes an installed file within some milliseconds, and a replay takes it as
part of what it is a replay of. Where controls are signed, the file is a draft: what holds is what
was signed, at once when it lowers risk, else after a second signature or a day.
"""

import argparse
from pathlib import Path

from cli import signing
from cli.login import sign
from core import durable
from core.clock import SystemClock
from core.controls.effects import take_effect
from core.controls.signing import Draft
from core.errors import InputError
from core.settings import Settings
from execution.risk.controls import limits_in_force
from execution.risk.direction import SHIPPED
from execution.risk.direction import changes as differing
from execution.risk.firm_rules import EXAMPLE
from execution.risk.limits import LimitsBook, of_settings, parse, render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which file."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("show", help="the limits that hold, as a file to start from")
    actions.add_parser("firm", help="a commented file with an invented prop firm, to copy from")
    actions.add_parser("check", help="whether a file could be installed").add_argument("file")
    install = actions.add_parser("install", help="make a file the limits; needs a login")
    install.add_argument("file")
    install.add_argument("--by", required=True, metavar="WHO", help="your user name")
    install.add_argument("--reason", default="", metavar="TEXT", help="why, for the record")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    installed = settings.home_path / "limits.toml"
    if namespace.action == "show":
        content = limits_in_force(settings, SystemClock())
        book = parse(content, str(installed)) if content else of_settings(settings.execution)
        print(f"# in force: {book.version}\n{render(book)}", end="")
        return 0
    if namespace.action == "firm":
        print(EXAMPLE.read_text(), end="")
        return 0
    book, content = _read(Path(namespace.file))
    if namespace.action == "check":
        print(f"{namespace.file}: good, would be version {book.version}")
        return 0
    if signing.must_sign(settings):
        return _sign(namespace, settings, book, content)
    detail = f"{namespace.file} as {book.version}"
    sign(
        settings, SystemClock(), namespace.by, "limits install", detail, subject="limits.toml",
        payload={"version": book.version, "content": content.decode()},
    )  # fmt: skip
    durable.write(installed, content)
    print(f"Limits {book.version} hold now ({namespace.by}).")
    return 0


def _sign(
    namespace: argparse.Namespace, settings: Settings, book: LimitsBook, content: bytes
) -> int:
    before = limits_in_force(settings, SystemClock())
    held = parse(before, "limits in force") if before else SHIPPED
    changes = (f"limits {held.version} → {book.version}", *map(str, differing(held, book)))
    draft = Draft("limits", "", content, namespace.by, namespace.reason, changes=changes)
    entry, after = signing.sign(settings, draft)
    take_effect(settings, entry, after)
    return 0


def _read(path: Path) -> tuple[LimitsBook, bytes]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"{error.strerror}; name a limits file") from error
    return parse(content, str(path)), content
