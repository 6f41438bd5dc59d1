"""`tickhouse users add|list|remove|password|code|owner`: who may use the home, and as what.

A password is asked for, or read as the first line of standard input. It is never an argument:
other users of the machine can read those. Whatever makes, changes or removes an admin asks an
admin: the owner of the home by its credential, or `--by` one with a password.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import get_args

import msgspec
from rich.markup import escape
from rich.table import Table

from audit import rights
from cli.commands.printed import output
from cli.login import login, note
from core import credentials, identity, pseudonyms, totp
from core.clock import SystemClock
from core.errors import SettingsError
from core.home_users import OWNER, credential, user
from core.identity import User, this_user
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
    code = actions.add_parser("code", help="one-time codes of an authenticator app, at sign-in too")
    code.add_argument("name")
    code.add_argument("--remove", action="store_true", help="none any more: of a lost telephone")
    for action in ("add", "remove", "password", "code"):
        actions.choices[action].add_argument(
            "--by", default="", metavar="ADMIN", help="who answers for it, by a password: of admins"
        )
    owner = actions.add_parser("owner", help="as whom other clients change things, without users")
    owner.add_argument("--show", action="store_true", help="print the password")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it. A running warehouse sees the change with its next request."""
    if namespace.action == "owner":
        _owner(settings.home_path, show=namespace.show)
        return 0
    if namespace.action == "add":
        pseudonyms.check_new(settings.privacy, settings.home_path, namespace.name)
    path = identity.path_in(settings.home_path)
    users = identity.load(path) if identity.exists(path) else {}
    if namespace.action == "list":
        _show(users)
        return 0
    if namespace.action == "code":
        _code(users, namespace, settings)
        return 0
    if _concerns_admins(users, namespace):
        ask_an_admin(users, namespace.by, settings)
    changed = _ACTIONS[namespace.action](users, namespace)
    note_edit(settings, users, namespace.by or this_user())
    _note_change(namespace, changed, settings)
    identity.save(path, changed)
    if namespace.action == "remove":
        totp.path_in(settings.home_path, namespace.name).unlink(missing_ok=True)
    print(f"{path}: {len(changed)} user{'s' * (len(changed) != 1)}")
    if not any(user.role == "admin" for user in changed.values()):
        print("Nobody is an admin now: backups and migrations will be refused.", file=sys.stderr)
    return 0


def note_edit(settings: Settings, users: Mapping[str, User], by: str) -> None:
    """Chain what an editor changed in the file of users: what follows builds on it."""
    if (edit := rights.problem(settings.home_path)) is None:
        return
    print(f"CAUTION {edit[1]}", file=sys.stderr)
    known: dict[str, object] = {name: _rights(user) for name, user in users.items()}
    note(settings, SystemClock(), by, "users edited", "by hand, before this", users=known)


def _note_change(
    namespace: argparse.Namespace, changed: Mapping[str, User], settings: Settings
) -> None:
    """Chained before it is done, with the rights as they are from now on."""
    after, by = changed.get(namespace.name), namespace.by or this_user()
    note(
        settings, SystemClock(), by, f"users {namespace.action}", namespace.name,
        subject=namespace.name, **(_rights(after) if after else {}),
        **{rights.FILE: rights.digest(changed)},
    )  # fmt: skip


def _rights(user: User) -> dict[str, object]:
    return {
        "role": user.role, "row_filters": user.row_filters, "max_seconds": user.max_seconds,
        "max_memory_mib": user.max_memory_mib,
    }  # fmt: skip


def _code(users: Mapping[str, User], namespace: argparse.Namespace, settings: Settings) -> None:
    """Who has the password enrols; a code is taken away by an admin."""
    name = _existing(users, namespace.name).name
    path = totp.path_in(settings.home_path, name)
    if namespace.remove:
        ask_an_admin(users, namespace.by, settings)
        note(settings, SystemClock(), namespace.by or this_user(), "users code removed", name)
        path.unlink(missing_ok=True)
        print(f"{name} signs in without a code.")
        return
    if os.path.lexists(path):
        raise SettingsError(
            f"{name} has codes already, and nobody is shown them twice; of a lost telephone: "
            f"tickhouse users code {name} --remove"
        )
    login(settings, name, get_args(identity.Role))
    note(settings, SystemClock(), name, "users code", name)
    secret = totp.secret_of(settings.home_path, name)
    print(f"Into your authenticator app, as a key for codes of time: {totp.typed(secret)}")
    print(f"or as an address: {totp.address(secret, name)}")


def _concerns_admins(users: Mapping[str, User], namespace: argparse.Namespace) -> bool:
    known = users.get(namespace.name)
    return getattr(namespace, "role", "") == "admin" or (
        known is not None and known.role == "admin"
    )


def ask_an_admin(users: Mapping[str, User], by: str, settings: Settings) -> None:
    """An admin with a password, or whoever can read the credential of the home's owner.

    Raises:
        SettingsError: it is neither.
    """
    if by:
        login(settings, by, ("admin",))
        return
    directory, name = credentials.directory_of(settings.home_path), credential(OWNER)
    # Made here it would prove nothing: only a home without users has nobody else to ask.
    if users and not os.path.lexists(directory / name):
        raise SettingsError(
            f"an admin answers for admins: --by ADMIN, or as the home's owner, whose credential "
            f"{directory / name} is missing: the next start of the warehouse makes it"
        )
    credentials.secret(directory, name)


def _owner(home: Path, *, show: bool) -> None:
    directory = credentials.directory_of(home)
    password = credentials.secret(directory, credential(OWNER))
    if show:
        print(password)
        return
    print(f"user      {user(OWNER).name}")
    print(f"password  in {directory / credential(OWNER)}, or: tickhouse users owner --show")


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
    known = _existing(users, namespace.name)
    hashed = identity.hash_password(read_password())
    return {**users, known.name: msgspec.structs.replace(known, password=hashed)}


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
        print(
            "No users: the warehouse is read by anybody on this machine, and changed by its owner"
            " (tickhouse sql, tickhouse users owner)."
        )
        return
    table = Table("user", "role", "seconds", "MiB", "sees only")
    for one in users.values():
        rows = "\n".join(f"{table}: {rule}" for table, rule in one.row_filters.items())
        limits = (
            f"{one.max_seconds:g}" if one.max_seconds else "",
            f"{one.max_memory_mib or ''}",
        )
        table.add_row(escape(one.name), one.role, *limits, escape(rows))
    output.console(highlight=False).print(table)
