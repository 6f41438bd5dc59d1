"""`tickhouse reference import FILE...`: dated reference data for the reports, checked and audited.

`tickhouse reference templates DIR` writes the templates, filled in for a firm that does not exist.
"""

import argparse
import shutil
from importlib import resources
from pathlib import Path

from cli import signing
from cli.login import sign
from cli.stack.warehouse_client import at_hand, warehouse_client, warehouse_settings
from core import audit_log
from core.audit_log import AuditLine
from core.clock import SystemClock
from core.controls.approvals import holds
from core.controls.signing import Draft
from core.errors import InputError
from core.home_users import COMMANDS
from core.pseudonyms import is_pseudonym, vault_of
from core.settings import Settings
from reports import reference, reference_store
from reports.reference_rows import TABLES, Person

_TEMPLATES = Path(str(resources.files("reports"))) / "templates" / "reference"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, with which files, who and why."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    load = actions.add_parser("import", help="load templates; needs a login")
    load.add_argument("files", nargs="+", type=Path, metavar="FILE")
    load.add_argument("--by", required=True, metavar="WHO", help="your user name")
    load.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")
    actions.add_parser("check", help="whether templates could be loaded").add_argument(
        "files", nargs="+", type=Path, metavar="FILE"
    )
    templates = actions.add_parser("templates", help="write the templates, with a fictitious firm")
    templates.add_argument("directory", type=Path, metavar="DIR")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    if namespace.action == "templates":
        return _write(namespace.directory)
    templates = [reference.read(path) for path in namespace.files]
    if vault_of(settings.privacy, settings.home_path):
        for template in templates:
            _check_people(template)
    if namespace.action == "check":
        for template in templates:
            print(f"{template.path}: good, {len(template.rows)} rows")
        return 0
    with at_hand(settings):
        return _import(namespace, settings, templates)


def _check_people(template: reference.Template) -> None:
    """A home with a vault names nobody: who decides, owns or approves is a pseudonym."""
    for number, row in enumerate(template.rows, 2):
        if not isinstance(row, Person):
            continue
        ids = (row.decision_kind, row.decision_id), (row.execution_kind, row.execution_id)
        people = [name for kind, name in ids if kind == "PERSON"] + [row.owner, row.approved_by]
        for name in people:
            if name and not is_pseudonym(name):
                problem = (
                    "a person is named in a home with a vault: write the pseudonym of tickhouse"
                    " privacy add into decision_id, execution_id, owner and approved_by"
                )
                raise InputError(template.path, problem, number)


def _import(
    namespace: argparse.Namespace, settings: Settings, templates: list[reference.Template]
) -> int:
    clock, client = SystemClock(), warehouse_client(settings, COMMANDS)
    where = warehouse_settings(settings, COMMANDS)
    try:
        for template in templates:
            changed = reference_store.changes(client, template)
            if not changed:
                print(f"{template.path}: nothing new, nothing was loaded")
                continue
            table = TABLES[template.kind][0]
            begun = signing.is_begun(settings)
            if begun and not _is_signed(namespace, settings, template, changed):
                continue
            detail = f"{len(changed)} rows of {table} from {Path(template.path).name}"
            payload = {"sha256": reference_store.digest(template), "changes": changed}
            if begun:  # signed before
                line = AuditLine(
                    ts_us=clock.now_us(),
                    by=namespace.by,
                    authenticated=False,
                    action="reference import",
                    detail=detail,
                    subject=table,
                    reason=namespace.reason,
                    payload=payload,
                )
                audit_log.append(settings.home_path, line)
            else:
                sign(
                    settings, clock, namespace.by, "reference import", detail, subject=table,
                    reason=namespace.reason, payload=payload,
                )  # fmt: skip
            *_, signed = audit_log.read(audit_log.path_in(settings.home_path))
            count = reference_store.load(
                where, template, changed, signed.seq, clock.now_us(), namespace.by
            )
            print(f"{template.path}: {count} rows of {table}, version {signed.seq}")
    finally:
        client.close()
    return 0


def _is_signed(
    namespace: argparse.Namespace,
    settings: Settings,
    template: reference.Template,
    changed: list[reference_store.Change],
) -> bool:
    """Whether the file may be loaded now; else it is signed, or waits."""
    now, table = signing.current(settings), TABLES[template.kind][0]
    digest = reference_store.digest(template)
    if holds(now, "reference", table, template.content, max(now.newest_us, SystemClock().now_us())):
        return True
    waiting = [v for v in now.waiting.values() if v.entry.content == digest]
    if waiting:
        print(f"{template.path}: {signing.outcome(waiting[0].entry.number, now)}")
        return False
    changes = tuple(f"{c.table} {' '.join(c.key)}: {c.was} → {c.now}" for c in changed)
    draft = Draft(
        "reference", table, template.content, namespace.by, namespace.reason, changes=changes
    )
    entry, after = signing.sign(settings, draft)
    if entry.number in after.taken:
        return True
    print(f"{template.path}: import it again once it holds")
    return False


def _write(directory: Path) -> int:
    directory.mkdir(parents=True, exist_ok=True)
    for path in sorted(_TEMPLATES.glob("*.csv")):
        target = directory / path.name
        if target.exists():
            raise InputError(str(target), "exists and is not overwritten; give another directory")
        shutil.copyfile(path, target)
        print(target)
    return 0
