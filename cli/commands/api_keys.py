"""`tickhouse api-keys create|list|revoke`: who may use the API, for what and until when.

A key's text is printed once, and nowhere else. Whoever makes or revokes one answers for it as for
an admin: the home's owner by its credential, or `--by` an admin with a password.
"""

import argparse
from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from api import keys
from api.keys import ApiKey
from api.scopes import MEANING, SCOPES
from cli.commands.printed import output
from cli.commands.users import ask_an_admin
from cli.login import note
from core import identity, pseudonyms
from core.clock import Clock, SystemClock
from core.errors import SettingsError
from core.file_lock import locked
from core.identity import User
from core.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which key."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="a new key; its text is printed once")
    create.add_argument("name", help="what it is for")
    create.add_argument(
        "--for", dest="user", required=True, metavar="USER",
        help="whose it is: it never does more than this user's role may",
    )  # fmt: skip
    create.add_argument(
        "--scope", action="append", default=[], choices=SCOPES,
        help="; ".join(f"{name}: {text}" for name, text in MEANING.items()) + "; repeatable",
    )  # fmt: skip
    create.add_argument("--days", type=float, default=90.0, help="until it ends (default: 90)")
    create.add_argument(
        "--per-minute", type=int, default=600, help="requests in a minute (default: 600)"
    )
    actions.add_parser("list", help="keys, without their texts")
    revoke = actions.add_parser("revoke", help="shut a key out, at once")
    revoke.add_argument("key_id", metavar="ID")
    for action in (create, revoke):
        action.add_argument(
            "--by", default="", metavar="ADMIN", help="who answers for it, by a password"
        )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it. A running API sees the change with its next request."""
    if namespace.action == "list":
        _show(keys.load(settings.home_path))
        return 0
    path, clock = identity.path_in(settings.home_path), SystemClock()
    users = identity.load(path) if identity.exists(path) else {}
    ask_an_admin(users, namespace.by, settings)
    by = namespace.by or identity.this_user()
    with locked(settings.home_path / "api-keys.lock"):
        if namespace.action == "create":
            _create(namespace, settings, users, by, clock)
        else:
            _revoke(namespace.key_id, settings, by, clock)
    return 0


def _create(
    namespace: argparse.Namespace, settings: Settings, users: dict[str, User], by: str, clock: Clock
) -> None:
    home = settings.home_path
    whose = pseudonyms.resolved(settings.privacy, home, namespace.user)
    if users and whose not in users:
        raise SettingsError(f"--for {whose}: no such user; known: {', '.join(users)}")
    known = keys.load(home)
    if len(known) >= keys.MOST_KEYS:
        raise SettingsError(f"there are {len(known)} keys: revoke some")
    key, text = keys.new_key(
        home, namespace.name, whose, namespace.scope, namespace.days, namespace.per_minute,
        clock.now_us(),
    )  # fmt: skip
    said = {"scopes": key.scopes, "until_us": key.until_us, "per_minute": key.per_minute}
    detail = f"{key.name} for {whose}: {', '.join(key.scopes)} until {_day(key.until_us)}"
    note(settings, clock, by, "api-keys create", detail, subject=key.key_id, **said)
    keys.save(home, {**known, key.key_id: key})
    print(f"Key {key.key_id} of {whose}, until {_day(key.until_us)}. It is shown this once:")
    print(text)


def _revoke(key_id: str, settings: Settings, by: str, clock: Clock) -> None:
    known = keys.load(settings.home_path)
    if key_id not in known:
        raise SettingsError(f"no key {key_id}: tickhouse api-keys list")
    detail = f"{known[key_id].name} for {known[key_id].user}"
    note(settings, clock, by, "api-keys revoke", detail, subject=key_id)
    keys.save(settings.home_path, {name: key for name, key in known.items() if name != key_id})
    print(f"Key {key_id} is out.")


def _show(known: dict[str, ApiKey]) -> None:
    if not known:
        print("No keys, so nobody may use the API: tickhouse api-keys create")
        return
    now_us = SystemClock().now_us()
    table = Table("id", "name", "user", "scopes", "until", "per minute")
    for key in known.values():
        until = _day(key.until_us) + (" (ended)" if key.until_us <= now_us else "")
        table.add_row(
            key.key_id, escape(key.name), escape(key.user), ", ".join(key.scopes), until,
            str(key.per_minute),
        )  # fmt: skip
    output.console(highlight=False).print(table)


def _day(us: int) -> str:
    return f"{datetime.fromtimestamp(us / 1e6, UTC):%Y-%m-%d %H:%M} UTC"
