"""`tickhouse orders`: orders whose outcome nobody knows; `settle` says what became of one.

Such an order halts its symbol until it is found at the broker or a person settles it. Where
users exist (`tickhouse users`), settling needs an admin's password.
"""

import argparse
import getpass
import os
import sys
from pathlib import Path

from adapters.mt5.venue.recognition import magic_of
from cli.login import note
from core import identity
from core.clock import SystemClock
from core.contracts.order import OrderEvent
from core.errors import JournalError, SettingsError
from core.settings import Settings
from execution.__main__ import journal_path, witness_path
from execution.broker import manual_resolutions
from execution.broker.manual_resolutions import ManualResolution
from execution.journal import segments, snapshots, witness
from execution.journal.book import Book
from execution.journal.segments import NOTHING
from execution.journal.snapshot import Snapshot, restored


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """List, or settle one."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="orders that are not settled")
    settle = actions.add_parser("settle", help="say what became of one; look at the broker first")
    settle.add_argument("order", help="its id, or the beginning of it")
    settle.add_argument("--as", dest="outcome", choices=("absent", "filled"), required=True)
    settle.add_argument(
        "--deal", type=int, action="append", default=[], metavar="TICKET",
        help="with filled: the deal's ticket in the terminal's history; repeatable",
    )  # fmt: skip
    settle.add_argument("--by", required=True, metavar="WHO", help="your name, or your user's")
    settle.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    unsettled = _unsettled(settings)
    if namespace.action == "list":
        _show(unsettled)
        return 0
    order_id = _chosen(namespace.order, unsettled)
    if (namespace.outcome == "filled") != bool(namespace.deal):
        raise SettingsError("--as filled needs --deal TICKET, and --as absent must not have one")
    _sign_in(namespace.by, settings)
    resolution = ManualResolution(
        order_id, namespace.outcome, namespace.by, namespace.reason, SystemClock().now_us(),
        tuple(namespace.deal),
    )  # fmt: skip
    note(
        settings, SystemClock(), namespace.by, "order settled",
        f"{order_id} as {namespace.outcome}: {namespace.reason}", order_id=order_id,
        deals=namespace.deal,
    )  # fmt: skip
    manual_resolutions.write(manual_resolutions.directory_of(journal_path(settings)), resolution)
    print(f"Order {order_id} is to count as {namespace.outcome}: execution takes it up at once.")
    return 0


def _unsettled(settings: Settings) -> dict[str, tuple[OrderEvent, str]]:
    path = journal_path(settings)
    book = _folded(path, witness_path(settings)) if path.exists() else Book()
    kinds = {n: "waits" if book.rests(n) else book.orders[n].kind.value for n in book.unsettled}
    return {name: (e, kinds[name]) for name, e in book.unsettled.items()}


def _folded(path: Path, beside: Path) -> Book:
    """From the newest snapshot that a start would believe, else from the first record on."""
    since = _newest(path, beside)
    book, end = (restored(since)[0], since.end) if since else (Book(), NOTHING)
    for placed in segments.walk(path, end):
        book.apply(placed.record)
    return book


def _newest(path: Path, beside: Path) -> Snapshot | None:
    try:
        witnessed = witness.read(beside)
        return snapshots.believed(path, witnessed.snapshot) if witnessed else None
    except JournalError:  # what is damaged of the journal, reading all of it says
        return None


def _show(unsettled: dict[str, tuple[OrderEvent, str]]) -> None:
    for name, (event, kind) in unsettled.items():
        what = f"{event.purpose} {event.side} {event.volume:g} {event.symbol}"
        what += f" at {event.price:g}" if kind == "waits" else ""
        print(f"{name}  {kind:9}  {what} ({event.source}), magic {magic_of(name)}")
    if all(kind == "waits" for _, kind in unsettled.values()):
        print(
            "Every order is settled."
            if not unsettled
            else "These wait at the broker; all else is settled."
        )


def _chosen(begin: str, unsettled: dict[str, tuple[OrderEvent, str]]) -> str:
    candidates = [
        n for n, (_, kind) in unsettled.items() if n.startswith(begin) and kind != "waits"
    ]
    if len(candidates) != 1:
        raise SettingsError(
            f"{len(candidates)} unsettled orders begin with {begin!r}; see: tickhouse orders list"
        )
    return candidates[0]


def _sign_in(name: str, settings: Settings) -> None:
    path = identity.path_in(settings.home_path)
    if not identity.exists(path):
        return
    user = identity.load(path).get(name)
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip(os.linesep)
    if user is None or user.role != "admin" or not identity.matches(user.password, password):
        raise SettingsError(f"{name}: no admin of that name with that password in {path}")
