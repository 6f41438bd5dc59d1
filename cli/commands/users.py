"""`tickhouse users add|list|remove|password`: who may use the warehouse, and as what.

A password is asked for, or read as the first line of standard input. It is never an argument:
other users of the machine can read those.
"""

import argparse
import getpass
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import get_args

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.login import note, this_user
from core import identity
from core.clock import SystemClock
from core.errors import SettingsError
from core.identity import User
from core.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with whom."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="a new user; asks for the password, or reads stdin")
    add.add_argument("name")
    add.add_argument(
        "--role", choices=get_args(identity.Role), default="analyst", help="default: analyst"
    )
    add.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="DATABASE.TABLE=CONDITION",
        help="only rows that meet it are seen, as tickhouse.tick=symbol = 'EURUSD'; repeatable",
    )
    add.add_argument("--max-seconds", type=float, default=0, help="of one statement")
    add.add_argument("--max-memory-mib", type=int, default=0, help="of one statement")
    actions.add_parser("list", help="users, roles and limits")
    for action, text in (("remove", "shut a user out, at once"), ("password", "a new password")):
        actions.add_parser(action, help=text).add_argument("name")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it. A running warehouse sees the change with its next request."""
    path = identity.path_in(settings.home_path)
    users = identity.load(path) if identity.exists(path) else {}
    if namespace.action == "list":
        _show(users)
        return 0
    changed = _ACTIONS[namespace.action](users, namespace)
    identity.save(path, changed)
    note(settings, SystemClock(), this_user(), f"users {namespace.action}", namespace.name)
    print(f"{path}: {len(changed)} user{'s' * (len(changed) != 1)}")
    if not any(user.role == "admin" for user in changed.values()):
        print("Nobody is an admin now: backups and migrations will be refused.", file=sys.stderr)
    return 0


def _add(users: Mapping[str, User], namespace: argparse.Namespace) -> dict[str, User]:
    if namespace.name in users:
        raise SettingsError(
            f"user {namespace.name} exists; tickhouse users password {namespace.name} changes "
            "the password; for anything else remove the user first"
        )
    new = identity.new_user(
        namespace.name,
        namespace.role,
        read_password(),
        filters(namespace.filter),
        namespace.max_seconds,
        namespace.max_memory_mib,
    )
    return {**users, new.name: new}


def _remove(users: Mapping[str, User], namespace: argparse.Namespace) -> dict[str, User]:
    _existing(users, namespace.name)
    return {name: user for name, user in users.items() if name != namespace.name}


def _password(users: Mapping[str, User], namespace: argparse.Namespace) -> dict[str, User]:
    user = _existing(users, namespace.name)
    hashed = identity.hash_password(read_password())
    return {**users, user.name: msgspec.structs.replace(user, password=hashed)}


_ACTIONS: dict[str, Callable[[Mapping[str, User], argparse.Namespace], dict[str, User]]] = {
    "add": _add,
    "remove": _remove,
    "password": _password,
}


def filters(texts: Sequence[str]) -> dict[str, str]:
    """Conditions by table from `database.table=condition`.

    Raises:
        SettingsError: not of this form, or a table twice.
    """
    conditions: dict[str, str] = {}
    for text in texts:
        table, separator, condition = text.partition("=")
        if not separator or table.strip() in conditions:
            raise SettingsError(f"--filter {text!r}: write database.table=condition, a table once")
        conditions[table.strip()] = condition.strip()
    return conditions


def read_password() -> str:
    """From the terminal, twice; or the first line of standard input.

    Raises:
        SettingsError: the two differ.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise SettingsError("the two passwords differ: try again")
    return password


def _existing(users: Mapping[str, User], name: str) -> User:
    if name not in users:
        known = ", ".join(users) or "there is none"
        raise SettingsError(f"no user {name}; known: {known}")
    return users[name]


def _show(users: Mapping[str, User]) -> None:
    if not users:
        print("No users: the warehouse serves anybody on this machine, and nobody else.")
        return
    table = Table("user", "role", "seconds", "MiB", "sees only")
    for user in users.values():
        rows = "\n".join(f"{table}: {rule}" for table, rule in user.row_filters.items())
        limits = (
            f"{user.max_seconds:g}" if user.max_seconds else "",
            f"{user.max_memory_mib or ''}",
        )
        table.add_row(escape(user.name), user.role, *limits, escape(rows))
    Console(highlight=False).print(table)
