"""`tickhouse keys new|list|add|revoke`: the keys that people sign controls with.

A key is made where its owner works, outside every home, and never leaves; what others need is the
public half. Bringing somebody in raises risk, so a second person signs it; revoking does not wait.
"""

import argparse
from pathlib import Path

import msgspec
from rich.table import Table

from cli import signing
from cli.commands.printed import output
from core.controls import keys
from core.controls.contents import Person
from core.controls.signing import Draft
from core.errors import SettingsError
from core.pseudonyms import resolved
from core.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, with whose key."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("new", help="make a key of your own; asks for a passphrase").add_argument(
        "name"
    )
    actions.add_parser("list", help="keys on this machine, and who may sign in this home")
    add = actions.add_parser("add", help="let somebody else sign, or with a new key")
    add.add_argument("name")
    add.add_argument("public", type=Path, metavar="FILE.pub", help="the public half of the key")
    revoke = actions.add_parser("revoke", help="a lost key, or somebody who left: at once")
    revoke.add_argument("name")
    for action in (add, revoke):
        action.add_argument("--by", required=True, metavar="WHO", help="who signs it")
        action.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    if hasattr(namespace, "name"):
        namespace.name = resolved(settings.privacy, settings.home_path, namespace.name)
    {"new": _new, "list": _list, "add": _add, "revoke": _revoke}[namespace.action](
        namespace, settings
    )
    return 0


def _new(namespace: argparse.Namespace, settings: Settings) -> None:
    folder = signing.keys_folder(settings)
    keys.refuse_inside(folder, settings.home_path)
    first = signing.passphrase(f"New passphrase of {namespace.name}")
    if signing.passphrase("Once more") != first:
        raise SettingsError("the two passphrases differ: try again")
    public = keys.generate(folder, settings.home_path, namespace.name, first)
    print(f"Key of {namespace.name} in {keys.path_in(folder, namespace.name)}; keep a copy of it.")
    print(f"Public: {public}, for others in {keys.public_path_in(folder, namespace.name)}")


def _list(namespace: argparse.Namespace, settings: Settings) -> None:
    here, table = keys.known(signing.keys_folder(settings)), Table("who", "public key", "here", "")
    people = signing.current(settings).people if signing.is_begun(settings) else {}
    for name in sorted({*here, *people}):
        person = people.get(name)
        may = "may not sign here"
        if person is not None:
            may = "revoked" if person.revoked else "signs here"
        public = person.public if person else here[name]
        table.add_row(name, public, "yes" if here.get(name) == public else "", may)
    output.console(highlight=False, soft_wrap=True).print(table)


def _add(namespace: argparse.Namespace, settings: Settings) -> None:
    _sign(namespace, settings, Person(namespace.name, keys.read_public(namespace.public)))


def _revoke(namespace: argparse.Namespace, settings: Settings) -> None:
    people = signing.current(settings).people
    if namespace.name not in people:
        raise SettingsError(f"{namespace.name} does not sign here; who does: {', '.join(people)}")
    _sign(namespace, settings, Person(namespace.name, people[namespace.name].public, revoked=True))


def _sign(namespace: argparse.Namespace, settings: Settings, person: Person) -> None:
    before = signing.current(settings).people.get(person.name)
    changes = (f"person {person.name}: {_text(before)} → {_text(person)}",)
    content = msgspec.json.encode(person)
    draft = Draft(
        "person", person.name, content, namespace.by, namespace.reason, changes=changes
    )  # fmt: skip
    signing.sign(settings, draft)


def _text(person: Person | None) -> str:
    if person is None:
        return "may not sign"
    return f"key {person.public[:16]}{' revoked' if person.revoked else ''}"
