"""`tickhouse privacy`: who people are, in a vault outside the home, and what they ask of it.

`add`, `show` and `change` touch the vault, and are noted each time; what they ask for is read from
the terminal or standard input, never from arguments, which other users of the machine can read.
`request`, `export` and `erase` are the cases of Regulation (EU) 2016/679, articles 15 and 17.
"""

import argparse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace
from rich.table import Table

from audit import rights
from audit.clients import papers, state
from audit.clients import register as registers
from audit.export import export
from audit.privacy import cases, erasure, migrate, records
from audit.privacy.cases import Case
from audit.privacy.vault import Vault
from cli import destroying, signing
from cli.commands.printed import output
from cli.commands.users import note_edit
from cli.login import login, note
from cli.outside import outside
from cli.stack.warehouse_client import at_hand, warehouse_client, warehouse_settings
from cli.typed import ask
from core import durable, identity, pseudonyms
from core.clock import SystemClock
from core.errors import SettingsError
from core.home_users import OWNER, SETUP
from core.settings import Settings

_MAY = ("admin", "risk", "compliance")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, about whom, who and why."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="a person; fields and names are asked for")
    change = actions.add_parser("change", help="other values for some fields, which are asked for")
    for action in (add, change):
        action.add_argument("--field", action="append", default=[], metavar="FIELD",
                            help="as name, birth_date, address; may be repeated")  # fmt: skip
    show = actions.add_parser("show", help="who somebody is")
    link = actions.add_parser("link", help="an account is somebody's")
    link.add_argument("--account", required=True)
    request = actions.add_parser("request", help="somebody asks for access or erasure")
    request.add_argument("--kind", choices=("access", "erasure"), required=True)
    for action in (show, change, link, request):
        action.add_argument("who", metavar="P", help="a pseudonym")
    listing = actions.add_parser("cases", help="requests that are not answered")
    listing.add_argument("--all", action="store_true", help="answered ones, too")
    note = actions.add_parser("note", help="keep what was found about a case")
    exporting = actions.add_parser("export", help="everything of a person, for the person")
    exporting.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="outside the home"
    )
    erase = actions.add_parser("erase", help="destroy the key, or refuse with the basis")
    for action in (note, exporting, erase):
        action.add_argument("case", metavar="CASE")
    user = actions.add_parser("migrate", help="a user of before gets a pseudonym; fields are asked")
    user.add_argument("who", metavar="USER")
    for action in (add, show, change, link, request, note, exporting, erase, user):
        action.add_argument("--by", required=True, metavar="WHO", help="your user name")
        action.add_argument("--reason", required=True, metavar="TEXT", help="why, without names")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    if namespace.action == "cases":
        return _list(namespace, settings)
    known = login(settings, namespace.by, _MAY)
    if namespace.action in _WITHOUT:
        _WITHOUT[namespace.action](namespace, settings, known)
        return 0
    name = OWNER if namespace.action == "migrate" else SETUP  # who may change what stands
    with _warehouse(settings, name) as (client, signed_in):
        return _WITH[namespace.action](namespace, signed_in, client, known)


@contextmanager
def _warehouse(settings: Settings, name: str) -> Iterator[tuple[Client, Settings]]:
    """With the audit trail brought over before and after."""
    with at_hand(settings):
        signed_in = replace(settings, clickhouse=warehouse_settings(settings, name))
        with closing(warehouse_client(settings, name)) as client:
            export(client, signed_in.clickhouse, settings.home_path)
            yield client, signed_in
            export(client, signed_in.clickhouse, settings.home_path)


def _add(namespace: argparse.Namespace, settings: Settings, known: bool) -> None:
    vault = _vault(namespace, settings, known)
    fields = _fields(namespace.field or ["name"])
    names = [name.strip() for name in ask("Names to type for them, comma-separated").split(",")]
    pseudonym = vault.add(fields, filter(None, names), namespace.reason)
    print(f"{pseudonym}: {', '.join(fields)} kept.")


def _show(namespace: argparse.Namespace, settings: Settings, known: bool) -> None:
    fields = _vault(namespace, settings, known).reveal(namespace.who, namespace.reason)
    for name, value in fields.items():
        print(f"{name}: {value}")


def _change(namespace: argparse.Namespace, settings: Settings, known: bool) -> None:
    vault = _vault(namespace, settings, known)
    vault.change(namespace.who, _fields(namespace.field), namespace.reason)
    print(f"{namespace.who}: {', '.join(namespace.field)} changed.")


def _link(namespace: argparse.Namespace, settings: Settings, known: bool) -> None:
    _vault(namespace, settings, known).check_there(namespace.who)
    cases.link(settings, namespace.who, namespace.account, namespace.by, namespace.reason, known,
               SystemClock())  # fmt: skip
    print(f"Account {namespace.account} is of {namespace.who}.")


def _request(namespace: argparse.Namespace, settings: Settings, known: bool) -> None:
    _vault(namespace, settings, known).check_there(namespace.who)
    case = cases.open_case(settings, namespace.kind, namespace.who, namespace.by, namespace.reason,
                           known, SystemClock())  # fmt: skip
    print(f"Case {case.name}: {case.kind} for {case.pseudonym}, due {case.due}.")


def _note(namespace: argparse.Namespace, settings: Settings, known: bool) -> None:
    case = cases.named(settings.home_path, namespace.case)
    cases.step(settings, case, "noted", namespace.by, namespace.reason, known, SystemClock())
    print(f"Case {case.name}: noted.")


def _list(namespace: argparse.Namespace, settings: Settings) -> int:
    table, today = Table("case", "asks for", "who", "opened", "due", "status", "basis"), _today()
    for case in cases.cases(settings.home_path).values():
        if namespace.all or case.status == "open":
            due = f"{case.due}, LATE" if case.is_late(today) else str(case.due)
            table.add_row(case.name, case.kind, case.pseudonym, str(case.opened), due, case.status,
                          case.basis)  # fmt: skip
    output.console().print(table if table.row_count else "No case.")
    return 0


def _export(namespace: argparse.Namespace, settings: Settings, client: Client, known: bool) -> int:
    case = cases.named(settings.home_path, namespace.case)
    cases.check_open(case, "exported")
    out = outside(settings, namespace.out)
    out.mkdir(mode=0o700, parents=True)
    fields = _vault(namespace, settings, known).reveal(case.pseudonym, f"case {case.name}")
    durable.write(out / "identity.json", msgspec.json.encode(fields), durable.PRIVATE)
    accounts = cases.accounts_of(settings.home_path, case.pseudonym)
    standing = records.write(client, case.pseudonym, accounts, out)
    documents = _write_documents(namespace, settings, known, case, out)
    cases.step(settings, case, "exported", namespace.by, namespace.reason, known, SystemClock())
    for one in standing:
        print(f"{one.table}.csv: {one.rows} rows")
    print(f"documents: {documents}")
    print(f"Case {case.name}: everything of {case.pseudonym} is in {out}; give it and remove it.")
    return 0


def _write_documents(
    namespace: argparse.Namespace, settings: Settings, known: bool, case: Case, out: Path
) -> int:
    """Documents of a client, as they were added; how many."""
    documents = registers.register(settings.home_path).of(case.pseudonym)
    if not documents:
        return 0
    vault, clock = _vault(namespace, settings, known), SystemClock()
    desk = papers.Desk(settings, vault, clock, namespace.by, known, f"case {case.name}")
    (out / "documents").mkdir(mode=0o700)
    for name, paper in papers.opened(desk, case.pseudonym, documents).items():
        path = out / "documents" / f"{name}{Path(paper.file_name).suffix}"
        durable.write(path, paper.content, durable.PRIVATE)
    rows = msgspec.json.encode([one._asdict() for one in documents])
    durable.write(out / "documents" / "register.json", rows, durable.PRIVATE)
    return len(documents)


def _erase(namespace: argparse.Namespace, settings: Settings, client: Client, known: bool) -> int:
    case = cases.named(settings.home_path, namespace.case)
    cases.check_open(case, "erased")
    vault, clock = _vault(namespace, settings, known), SystemClock()
    vault.check_there(case.pseudonym)
    _check_gone(settings, case.pseudonym)
    verdict = erasure.judge(client, settings, case.pseudonym, _today(), clock)
    by, reason = namespace.by, namespace.reason
    if verdict.obstacles:
        cases.step(
            settings=settings, case=case, what="refused", by=by, reason=reason, known=known,
            clock=clock, basis=verdict.basis,
        )  # fmt: skip
        print(f"Case {case.name} is refused: {verdict.basis}.")
        if verdict.until:
            print(f"Records end on {verdict.until}: open a case again then.")
        return 1
    if signing.must_sign(settings) and not _is_agreed(settings, case):
        content = msgspec.json.encode({"case": case.name, "person": case.pseudonym})
        change = f"erased: {case.pseudonym}, case {case.name}; {verdict.basis}"
        destroying.propose(settings, case.pseudonym, content, by, reason, [change])
        return 0
    vault.erase(case.pseudonym, reason, verdict.basis)
    cases.step(
        settings=settings, case=case, what="erased", by=by, reason=reason, known=known, clock=clock,
        basis=verdict.basis,
    )  # fmt: skip
    if registers.register(settings.home_path).clients:
        state.publish(settings, vault, clock, by, known=known)
    print(f"Case {case.name}: the key of {case.pseudonym} is destroyed ({verdict.basis}).")
    return 0


def _check_gone(settings: Settings, pseudonym: str) -> None:
    """Who still signs in here works here: their name would be asked for and found nowhere."""
    path = identity.path_in(settings.home_path)
    if identity.exists(path) and pseudonym in identity.load(path):
        raise SettingsError(
            f"{pseudonym} still signs in here: tickhouse users remove {pseudonym}, then erase"
        )


def _is_agreed(settings: Settings, case: Case) -> bool:
    _, content = destroying.approved(settings, case.pseudonym)
    return content == msgspec.json.encode({"case": case.name, "person": case.pseudonym})


def _migrate(namespace: argparse.Namespace, settings: Settings, client: Client, known: bool) -> int:
    """The vault first, then who signs in, then rows; what is left of the name is told."""
    path, name = identity.path_in(settings.home_path), namespace.who
    users = identity.load(path) if identity.exists(path) else {}
    pseudonym = pseudonyms.resolved(settings.privacy, settings.home_path, name)
    if pseudonym == name:  # else it was begun before
        vault = _vault(namespace, settings, known)
        pseudonym = vault.add(_fields(["name"]), [name], namespace.reason)
    if name in users:
        note_edit(settings, users, namespace.by)
        users[pseudonym] = replace(users.pop(name), name=pseudonym)
        note(
            settings, SystemClock(), namespace.by, "users renamed", pseudonym, subject=pseudonym,
            **{rights.FILE: rights.digest(users)},
        )  # fmt: skip
        identity.save(path, users)
    for place in migrate.replace(client, name, pseudonym):
        print(f"{place.name}: {place.rows} rows say {pseudonym} now")
    print(f"Who signs in as that user is called {pseudonym}; commands take the name, too.")
    for place in migrate.left(client, settings.home_path, name):
        print(f"LEFT {place.name}: {place.rows}")
    print("What is left is chained, sorted by, or a file: it stays readable as long as it is kept.")
    return 0


def _vault(namespace: argparse.Namespace, settings: Settings, known: bool) -> Vault:
    return Vault(settings, SystemClock(), namespace.by, known=known)


def _fields(names: list[str]) -> dict[str, str]:
    return {name: ask(name) for name in names}


def _today() -> date:
    return datetime.now(UTC).date()


_WITHOUT = {
    "add": _add, "show": _show, "change": _change, "link": _link, "request": _request,
    "note": _note,
}  # fmt: skip
_WITH = {"export": _export, "erase": _erase, "migrate": _migrate}
