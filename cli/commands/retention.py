"""`tickhouse retention`: how long what a home holds is kept, legal holds, and what is destroyed.

`policy` and `holds` show what stands; `hold` and `release` change it; `due` counts a day for the
monthly report; `destroy` removes what a policy no longer asks for, with two people where controls
are signed. `export` seals records as Parquet elsewhere; `verify` and `restore` need that place and
the public key alone.
"""

import argparse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from clickhouse_connect.driver.client import Client
from rich.table import Table

from audit.export import export
from audit.records import back
from audit.records import export as records
from audit.retention import census, destroy, holds, policies, ttl
from audit.retention.destroy import Authority, Due, Order
from audit.retention.files import GROUPS
from audit.retention.tables import tables
from cli import destroying, signing
from cli.commands.printed import output
from cli.login import login, note
from cli.stack.warehouse_client import at_hand, warehouse_client, warehouse_settings
from core.clock import SystemClock
from core.errors import SettingsError
from core.home_users import SETUP
from core.settings import Settings

_MAY = ("admin", "risk")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, with what, who and why."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("policy", help="what is kept, how long, and what asks for it")
    actions.add_parser("holds", help="legal holds that stand, and what they came too late for")
    hold = actions.add_parser("hold", help="nothing of it is destroyed until it is released")
    hold.add_argument("name", metavar="NAME", help="small letters and digits, as case-2026-14")
    hold.add_argument(
        "--on", action="append", default=[], metavar="WHAT",
        help="a policy, a table, a group of files, or all; may be repeated",
    )  # fmt: skip
    hold.add_argument("--from", dest="start", type=date.fromisoformat, metavar="D")
    hold.add_argument("--to", dest="end", type=date.fromisoformat, metavar="D")
    release = actions.add_parser("release", help="a hold is over")
    release.add_argument("name", metavar="NAME")
    due = actions.add_parser("due", help="count what is there, due and held, for the report")
    due.add_argument("--date", type=date.fromisoformat, metavar="D", help="default: today (UTC)")
    due.add_argument("--all", action="store_true", help="what is empty or not due, too")
    destroying = actions.add_parser("destroy", help="remove what a policy no longer asks for")
    destroying.add_argument("policy", metavar="POLICY")
    exporting = actions.add_parser("export", help="seal records elsewhere, what is new or differs")
    exporting.add_argument(
        "--through", type=date.fromisoformat, metavar="D", help="default: yesterday (UTC)"
    )
    verify = actions.add_parser("verify", help="every sealed export, from its place alone")
    restore = actions.add_parser("restore", help="bring every sealed export into a bare home")
    for action in (verify, restore):
        action.add_argument(
            "--of", default="", metavar="HOME", help="as their names say, of several homes"
        )
    for action in (hold, release, destroying):
        action.add_argument("--by", required=True, metavar="WHO", help="your user name")
        action.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    if namespace.action == "policy":
        return _policy(settings)
    if namespace.action == "verify":
        return _verify(namespace, settings)
    does = {
        "holds": _holds, "hold": _hold, "release": _release, "due": _due, "destroy": _destroy,
        "export": _export, "restore": _restore,
    }  # fmt: skip
    with _warehouse(settings) as client:
        return does[namespace.action](namespace, settings, client)


@contextmanager
def _warehouse(settings: Settings) -> Iterator[Client]:
    """With the audit trail brought over before and after: every step is seen there, too."""
    with at_hand(settings):
        where = warehouse_settings(settings, SETUP)
        with closing(warehouse_client(settings, SETUP)) as client:
            yield client
            export(client, where, settings.home_path)


def _policy(settings: Settings) -> int:
    known = policies.in_force(settings, SystemClock())
    table = Table("policy", "keeps", "years", "then", "version", "review", "basis")
    for name, one in known.items():
        what = "\n".join(filter(None, (", ".join(one.tables), ", ".join(one.files))))
        table.add_row(
            name, f"{one.title}\n{what}", str(one.years or "none asked"), one.then, one.version,
            str(one.review), one.basis,
        )  # fmt: skip
    output.console().print(table)
    print(f"Groups of files: {', '.join(GROUPS)}.")
    print(f"A firm's own policies are in {policies.path_in(settings.home_path)}.")
    return 0


def _holds(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    register, late = holds.register(settings.home_path), list[str]()
    table = Table("hold", "on", "from", "to", "since", "by", "reason")
    subjects = _subjects(settings, client)
    for hold in register.holds:
        since = datetime.fromtimestamp(hold.ts_us / 1e6, UTC)
        table.add_row(
            hold.name, ", ".join(hold.on), str(hold.start or ""), str(hold.end or ""),
            f"{since:%Y-%m-%d}", hold.by, hold.reason,
        )  # fmt: skip
        late += (f"{hold.name}: {p}" for p in holds.too_late(hold, register.destroyed, subjects))
    output.console().print(table if register.holds else "No hold.")
    return _exit_code(late)


def _hold(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    known = login(settings, namespace.by, (*_MAY, "analyst"))
    hold = holds.Hold(
        namespace.name, tuple(namespace.on), namespace.start, namespace.end, namespace.by,
        namespace.reason, SystemClock().now_us(),
    )  # fmt: skip
    in_force = policies.in_force(settings, SystemClock())
    late = holds.place(settings, hold, in_force, _subjects(settings, client), known)
    ttl.apply(client, settings, SystemClock())  # at once: merges do not ask
    print(f"Hold {hold.name} stands: nothing of {', '.join(hold.on)} is destroyed.")
    return _exit_code(late)


def _exit_code(late: list[str]) -> int:
    for problem in late:
        print(f"BREAK hold_on_destroyed: {problem}")
    return 1 if late else 0


def _release(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    known = login(settings, namespace.by, _MAY)
    now_us = SystemClock().now_us()
    holds.release(settings, namespace.name, namespace.by, namespace.reason, known, now_us)
    ttl.apply(client, settings, SystemClock())
    print(f"Hold {namespace.name} is released; policies count again.")
    return 0


def _due(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    clock = SystemClock()
    day = namespace.date or _today()
    taken = census.take(client, settings, day, clock)
    census.store(client, taken, clock.now_us())
    table = Table("subject", "policy", "number", "oldest", "due", "held", "destroyed", "holds")
    for one in taken.counted:
        if namespace.all or one.due or one.destroyed or one.holds:
            table.add_row(
                one.subject, one.policy, str(one.total), str(one.oldest or ""), str(one.due),
                str(one.held), str(one.destroyed), ", ".join(one.holds),
            )  # fmt: skip
    output.console().print(table if table.row_count else f"{day}: nothing is due or held.")
    for problem in taken.breaks():
        print(f"{problem.severity} {problem.rule_id}: {problem.subject}: {problem.value}")
    print(f"Kept for the report: tickhouse report retention --date {day}")
    return 0


def _destroy(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    clock = SystemClock()
    order = destroy.order_of(namespace.policy, settings, clock, _today())
    if signing.must_sign(settings):
        return _destroy_signed(namespace, settings, client, order)
    known = login(settings, namespace.by, _MAY)
    authority = Authority(namespace.by, namespace.reason, known)
    return _done(destroy.carry_out(client, settings, order, authority, clock), order)


def _destroy_signed(
    namespace: argparse.Namespace, settings: Settings, client: Client, order: Order
) -> int:
    """What two people approved is carried out; else it is shown, signed, and waits."""
    clock, by, reason = SystemClock(), namespace.by, namespace.reason
    number, content = destroying.approved(settings, order.policy)
    if number:
        authority = Authority(by, reason, login(settings, by, _MAY), number)
        agreed = _order(content)
        return _done(destroy.carry_out(client, settings, agreed, authority, clock), agreed)
    going = destroy.due(client, settings, order, clock)
    if not any(one.number for one in going):
        return _done([], order)
    changes = (
        f"destroyed: what is older than {order.before}",
        *(f"{one.number} of {one.subject} ({one.held} held)" for one in going),
    )
    content = msgspec.json.encode({"policy": order.policy, "before": order.before})
    destroying.propose(settings, order.policy, content, by, reason, changes)
    return 0


def _order(content: bytes) -> Order:
    try:
        said = msgspec.json.decode(content, type=dict[str, str])
        return Order(said["policy"], date.fromisoformat(said["before"]))
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise SettingsError(f"what was signed is no order to destroy: {error}") from error


def _done(done: list[Due], order: Order) -> int:
    for one in done:
        kept = f", {one.held} held" if one.held else ""
        print(f"{one.subject}: {one.number} destroyed{kept}")
    if not done:
        print(f"Nothing of policy {order.policy} is from before {order.before}.")
    return 0


def _export(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    clock, through = SystemClock(), namespace.through or _today() - timedelta(days=1)
    root = records.export(client, settings, through, clock)
    if root is None:
        print(f"Nothing is new up to {through}.")
        return 0
    detail = f"export {root.number}: {len(root.parts)} days of tables up to {through}"
    note(settings, clock, "retention", "records exported", detail,
         subject=f"{root.number:06d}.{root.home}", root=root.root)  # fmt: skip
    print(f"{detail[0].upper()}{detail[1:]}, root {root.root[:16]}, home {root.home}.")
    return 0


def _verify(namespace: argparse.Namespace, settings: Settings) -> int:
    place, number = records.place_of(settings), 0
    with TemporaryDirectory() as folder:
        for one in back.exports(place, back.public_key(settings), Path(folder), namespace.of):
            number = one.root.number
            rows = sum(part.rows for part in one.root.parts)
            print(f"{one.name}: up to {one.root.through}, {rows} rows, good")
    print(f"{number} exports, each signed, whole, and following the one before.")
    return 0


def _restore(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    place, key = records.place_of(settings), back.public_key(settings)
    with TemporaryDirectory() as folder:
        rows = back.restore(client, back.exports(place, key, Path(folder), namespace.of))
    for table, count in rows.items():
        print(f"{table}: {count} rows, as sealed")
    return 0


def _subjects(settings: Settings, client: Client) -> dict[str, str]:
    names = [table.name for table in tables(client)]
    return holds.subjects_of(policies.in_force(settings, SystemClock()), names)


def _today() -> date:
    return datetime.now(UTC).date()
