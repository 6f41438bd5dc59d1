"""`tickhouse audit verify|seal|keygen|accept`: proof that nothing journalled was changed.

The signing key must not live in the home; where it lives is what the proof is worth.
"""

import argparse
import contextlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from clickhouse_connect.driver.client import Client
from msgspec.structs import replace
from rich.table import Table

from adapters.clickhouse.client import errors_translated
from audit import seal, signing, trail
from cli.commands.halt import add_who_and_why
from cli.commands.printed import output
from cli.login import login, note
from cli.stack.warehouse_client import at_hand, warehouse_client, warehouse_settings
from core import audit_log
from core.clock import SystemClock
from core.errors import SettingsError, TickhouseError
from core.home_users import COMMANDS
from core.identity import this_user
from core.settings import Settings
from execution.compose import own_path
from execution.journal import segments, witness
from execution.journal.journal import Journal
from execution.journal.reader import journals, placed_events
from execution.risk.controls import problem_of
from quality.check_result import store
from quality.trail import trail_result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser("verify", help="journal, warehouse and seals; 1 at a break")
    verify.add_argument("--archive", type=Path, help="seals from here, as from the WORM copy")
    verify.add_argument("--public-key", type=Path, help="default: TICKHOUSE_REPORTS__PUBLIC_KEY")
    verify.add_argument(
        "--full", action="store_true", help="every event, also of days found whole before"
    )
    sealing = actions.add_parser("seal", help="sign and export all that was journalled by a day")
    sealing.add_argument("--date", type=date.fromisoformat, help="UTC; default: yesterday")
    sealing.add_argument("--key", type=Path, help="default: TICKHOUSE_REPORTS__SIGNING_KEY")
    sealing.add_argument("--by", default="", metavar="WHO", help="default: who is logged in here")
    accepting = actions.add_parser(
        "accept", help="go on from journal and audit log as they are, after comparing with a backup"
    )
    add_who_and_why(accepting)
    keygen = actions.add_parser("keygen", help="make the key pair that seals are signed with")
    keygen.add_argument(
        "path", type=Path, help="outside the home; .pub is added for the public one"
    )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    does = {"verify": _verify, "seal": _seal, "keygen": _keygen, "accept": _accept}
    return does[namespace.action](namespace, settings)


def _accept(namespace: argparse.Namespace, settings: Settings) -> int:
    """For who has compared the terminal's history with what is left."""
    home, account, by = settings.home_path, settings.run.account, namespace.by
    journal = Journal(own_path(settings) / "journal")  # locked: no execution runs, or it is refused
    try:
        known, extent = login(settings, by), journal.synced
        audit_log.accept(home)
        detail = f"as they are: journal of {extent.number} records, {extent.end} bytes; audit log"
        line = audit_log.AuditLine(
            SystemClock().now_us(), by, known, "accept", detail, account, namespace.reason
        )
        audit_log.append(home, line)
        witness.write(witness.path_in(home, account), extent)
    finally:
        journal.close()
    print(f"Journal of {account} accepted with {extent.number} records, and the audit log.")
    return 0


def _keygen(namespace: argparse.Namespace, settings: Settings) -> int:
    public = signing.generate(namespace.path, settings.home_path)
    print(f"Private key {namespace.path} (guard it), public key {public} (give it to auditors).")
    return 0


def _seal(namespace: argparse.Namespace, settings: Settings) -> int:
    clock, key = SystemClock(), namespace.key or _path(settings.reports.signing_key)
    if key is None:
        raise SettingsError("no signing key: tickhouse audit keygen PATH, then --key PATH")
    day = namespace.date or seal.last_day(clock.now_us())
    root = trail.seal_home(settings, _sources(settings), day, key, clock)
    note(
        settings, clock, namespace.by or this_user(), "seal", "day sealed", subject=str(day),
        streams=root.streams,
    )  # fmt: skip
    for stream in root.streams:
        print(f"{day} {stream.name}: {stream.count} events, root {stream.root[:16]}")
    print(f"Sealed in {trail.archive(settings) / str(day)}; copy it to WORM storage.")
    return 0


def _verify(namespace: argparse.Namespace, settings: Settings) -> int:
    archive = namespace.archive or trail.archive(settings)
    key = namespace.public_key or _path(settings.reports.public_key)
    with at_hand(settings):
        settings = replace(settings, clickhouse=warehouse_settings(settings, COMMANDS))
        with contextlib.closing(warehouse_client(settings, COMMANDS)) as client:
            verification = trail.verify_home(
                settings, _sources(settings), client, archive, key, SystemClock(),
                problem_of(settings, SystemClock()), full=namespace.full,
            )  # fmt: skip
            _note_result(client, verification)
            if key and not verification.breaks:
                with contextlib.suppress(TickhouseError, OSError):  # an auditor may only read
                    trail.remember(
                        settings, _sources(settings), client, archive, key, this_user(),
                        SystemClock(),
                    )  # fmt: skip
    _show(verification, key)
    return 1 if verification.breaks else 0


def _note_result(client: Client, verification: trail.Verification) -> None:
    """For boards and alerts; an auditor who may only read gets the word all the same."""
    events, breaks = (
        sum(v.events for v in verification.verdicts),
        [str(b) for b in verification.breaks],
    )
    with contextlib.suppress(TickhouseError), errors_translated():
        store(client, [trail_result(events, breaks, SystemClock().now_us())])


def _show(verification: trail.Verification, key: Path | None) -> None:
    console = output.console(highlight=False, soft_wrap=True)
    table = Table("stream", "events", "in the warehouse", "on their way", "sealed days", "")
    for v in verification.verdicts:
        state = "BROKEN" if v.breaks else "whole"
        counts = (str(n) for n in (v.events, v.stored, v.pending, v.sealed))
        table.add_row(v.stream, *counts, state)
    console.print(table)
    for broken in verification.breaks:
        console.print(f"BREAK {broken}", markup=False)
    if key is None:
        console.print("Seals were NOT checked: no public key (TICKHOUSE_REPORTS__PUBLIC_KEY).")
    elif not verification.breaks:
        console.print("Journal, warehouse and signed roots agree.")


def _sources(settings: Settings) -> Iterator[trail.Source]:
    for name, path in journals(settings.home_path).items():
        live = path.parent.parent == settings.home_path / "execution"
        yield trail.Source(name, path, placed_events, live, segments.pieces)


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None
