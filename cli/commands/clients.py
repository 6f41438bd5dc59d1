"""`tickhouse clients`: whose files are in order, so that accounts may trade for them.

A client is a pseudonym of the vault (`tickhouse privacy add`), whom an account of the limits names:
`[accounts.NAME] client = "p-..."`. Documents are added by one person and approved by another; what
is searched for is read from the terminal or standard input, for arguments can be read by others.
"""

import argparse
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

from rich.table import Table

from audit.clients import papers, state
from audit.clients import register as registers
from audit.clients.accounts import clients_of_accounts
from audit.clients.papers import Desk, Offered
from audit.privacy.vault import Vault
from cli.commands.printed import output
from cli.login import login
from cli.outside import outside
from cli.stack.warehouse_client import at_hand, warehouse_client
from cli.typed import ask
from core import client_files, durable
from core.client_files import ClientFile
from core.clock import SystemClock
from core.errors import SettingsError
from core.home_users import COMMANDS
from core.settings import Settings

_MAY = ("admin", "risk")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, about whom, who and why."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("status", help="whose file is in order, until when, and what lacks")
    check = actions.add_parser("check", help="check every file against the vault, for execution")
    check.add_argument("--by", required=True, metavar="WHO", help="your user name")
    add = actions.add_parser("add", help="a person of the vault is a client from now on")
    add.add_argument("--of", choices=("person", "company"), default="person")
    end = actions.add_parser("end", help="a client no longer: nothing is opened for them")
    document = actions.add_parser("add-document", help="a PDF or DOCX; somebody else approves it")
    for action in (add, end, document):
        action.add_argument("who", metavar="P", help="a pseudonym")
    document.add_argument("file", type=Path, metavar="FILE")
    document.add_argument("--kind", required=True, help="as passport, bank_statement")
    document.add_argument("--issued", required=True, type=date.fromisoformat, metavar="DAY")
    document.add_argument("--expires", type=date.fromisoformat, metavar="DAY",
                          help="the last day on which it counts")  # fmt: skip
    listing = actions.add_parser("documents", help="documents, and how far each is")
    listing.add_argument("who", metavar="P", nargs="?", default="", help="a pseudonym; else all")
    approve = actions.add_parser("approve", help="a document counts: not by who added it")
    reject = actions.add_parser("reject", help="a document counts no more")
    show = actions.add_parser("show", help="a document, as it was added, into a folder")
    show.add_argument("--out", type=Path, required=True, metavar="DIR", help="outside the home")
    for action in (approve, reject, show):
        action.add_argument("document", metavar="DOCUMENT", help="as d-0123456789ab")
    money = actions.add_parser("money", help="what is each account's, by our books and the broker")
    money.add_argument("--date", required=True, type=date.fromisoformat, metavar="DAY",
                       help="UTC; compared anew")  # fmt: skip
    search = actions.add_parser("search", help="documents that say something, which is asked for")
    search.add_argument("who", metavar="P", nargs="?", default="", help="a pseudonym; else all")
    for action in (add, end, document, approve, reject, show, search):
        action.add_argument("--by", required=True, metavar="WHO", help="your user name")
        action.add_argument("--reason", required=True, metavar="TEXT", help="why, without names")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    if namespace.action == "status":
        return _status(settings)
    if namespace.action == "money":
        return _money(namespace.date, settings)
    if namespace.action == "documents":
        return _documents(namespace, settings)
    known = login(settings, namespace.by, _MAY)
    clock, reason = SystemClock(), getattr(namespace, "reason", "a check")
    vault = Vault(settings, clock, namespace.by, known=known)
    desk = Desk(settings, vault, clock, namespace.by, known, reason)
    _DO[namespace.action](namespace, desk)
    if namespace.action in _CHANGING:
        files = state.publish(settings, vault, clock, namespace.by, known=known)
        now = clock.now_us()
        in_order = sum(not file.lacking(now) for file in files.clients)
        print(f"{in_order} of {len(files.clients)} clients' files are in order.")
    return 0


def _add(namespace: argparse.Namespace, desk: Desk) -> None:
    desk.vault.check_reason(namespace.who, desk.reason)
    known = registers.register(desk.settings.home_path).clients.get(namespace.who)
    if known and not known.ended_us:
        raise SettingsError(f"{namespace.who} is a client already")
    registers.note(desk.settings, desk.clock, registers.ADDED, namespace.who, desk.by, desk.known,
                   desk.reason, category=namespace.of)  # fmt: skip
    print(f"{namespace.who} is a client.")


def _end(namespace: argparse.Namespace, desk: Desk) -> None:
    registers.register(desk.settings.home_path).client(namespace.who)
    desk.vault.check_reason(namespace.who, desk.reason)
    registers.note(
        desk.settings, desk.clock, registers.ENDED, namespace.who, desk.by, desk.known, desk.reason
    )
    print(f"{namespace.who} is a client no longer.")


def _add_document(namespace: argparse.Namespace, desk: Desk) -> None:
    offered = Offered(namespace.file, namespace.kind, namespace.issued, namespace.expires)
    name = papers.add(desk, namespace.who, offered)
    print(f"{name}: kept; it counts once somebody else approves it.")


def _approve(namespace: argparse.Namespace, desk: Desk) -> None:
    document = papers.approve(desk, namespace.document)
    print(f"{document.name}: {document.kind} of {document.client} approved.")


def _reject(namespace: argparse.Namespace, desk: Desk) -> None:
    document = papers.reject(desk, namespace.document)
    print(f"{document.name}: {document.kind} of {document.client} rejected.")


def _show(namespace: argparse.Namespace, desk: Desk) -> None:
    out = outside(desk.settings, namespace.out)
    document = registers.register(desk.settings.home_path).document(namespace.document)
    [paper] = papers.opened(desk, document.client, [document]).values()
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = out / f"{document.name}{Path(paper.file_name).suffix}"
    durable.write(path, paper.content, durable.PRIVATE)
    print(f"{path}: {document.kind}, SHA-256 {paper.sha256}; remove it once it is read.")


def _search(namespace: argparse.Namespace, desk: Desk) -> None:
    matches = papers.search(desk, ask("What to search for"), namespace.who)
    for match in matches:
        document = match.document
        print(f"{document.name} ({document.kind} of {document.client}): {match.excerpt}")
    if not matches:
        print("No document says so; a scan without text says nothing.")


def _documents(namespace: argparse.Namespace, settings: Settings) -> int:
    table = Table("document", "client", "kind", "issued", "expires", "added by", "approved by", "")
    for one in registers.register(settings.home_path).documents.values():
        if namespace.who in ("", one.client):
            table.add_row(
                one.name, one.client, one.kind, str(one.issued), str(one.expires or ""),
                one.added_by, one.approved_by, one.status,
            )  # fmt: skip
    output.console().print(table if table.row_count else "No document.")
    return 0


def _status(settings: Settings) -> int:
    """1 when a client's file is not in order, or nobody knows."""
    files, now = client_files.load(client_files.path_in(settings.home_path)), SystemClock().now_us()
    if files is None:
        print("No file was ever checked: tickhouse clients check")
        return 1
    is_stale = not files.checked_us - 5_000_000 <= now <= files.counts_until_us
    print(f"Checked {_time(files.checked_us)}{', TOO LONG AGO' if is_stale else ''}.")
    table = Table("client", "in order", "until", "lacks")
    for file in files.clients:
        lacking = file.lacking(now)
        until = "" if lacking else _first_end(file, now)
        table.add_row(file.client, "NO" if lacking else "yes", until, ", ".join(lacking))
    named = clients_of_accounts(settings, SystemClock()).items()
    strangers = [(account, client) for account, client in named if files.of(client) is None]
    for account, client in strangers:
        table.add_row(client, "NO", "", f"no client, and account {account} names them")
    output.console().print(table if table.row_count else "No client.")
    return int(is_stale or bool(strangers) or any(f.lacking(now) for f in files.clients))


def _money(day: date, settings: Settings) -> int:
    """1 when something differs."""
    from reports import client_money

    clock = SystemClock()
    with at_hand(settings), closing(warehouse_client(settings, COMMANDS)) as client:
        clients = clients_of_accounts(settings, clock)
        rows = client_money.take(client, settings.marts_mode, day, clients, clock.now_us())
    table = Table(
        "account", "client", "amount", "ours", "broker", "difference", "", "owner", "days"
    )
    for row in rows:
        age = str(row.age_days + 1) if row.owner else ""
        table.add_row(
            row.account, row.client, row.item, f"{row.ours:.2f}", f"{row.theirs:.2f}",
            f"{row.difference:+.2f}", row.status, row.owner, age,
        )  # fmt: skip
    output.console().print(table if rows else "No account has a journal.")
    return int(bool(client_money.breaks(rows)))


def _first_end(file: ClientFile, now_us: int) -> str:
    """What ends first, and the last day of it."""
    until, name = min((need.until_us(now_us), need.name) for need in file.needs)
    return f"{_time(until - 1)[:10]} ({name})"


def _time(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / 1e6, UTC):%Y-%m-%d %H:%M} UTC"


def _check(namespace: argparse.Namespace, desk: Desk) -> None:
    """What follows every change does it."""


_DO = {
    "check": _check, "add": _add, "end": _end, "add-document": _add_document, "approve": _approve,
    "reject": _reject, "show": _show, "search": _search,
}  # fmt: skip
_CHANGING = ("check", "add", "end", "approve", "reject")
