"""`tickhouse reference import FILE...`: dated reference data for the reports, checked and audited.

`tickhouse reference templates DIR` writes the templates, filled in for a firm that does not exist.
"""

import argparse
import shutil
from importlib import resources
from pathlib import Path

from cli.login import sign
from cli.stack.warehouse_client import at_hand, warehouse_client, warehouse_settings
from core import audit_log
from core.clock import SystemClock
from core.errors import InputError
from core.home_users import COMMANDS
from core.settings import Settings
from reports import reference, reference_store
from reports.reference_rows import TABLES

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
    if namespace.action == "check":
        for template in templates:
            print(f"{template.path}: good, {len(template.rows)} rows")
        return 0
    with at_hand(settings):
        return _import(namespace, settings, templates)


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
            sign(
                settings, clock, namespace.by, "reference import",
                f"{len(changed)} rows of {table} from {Path(template.path).name}",
                subject=table, reason=namespace.reason,
                payload={"sha256": reference_store.digest(template), "changes": changed},
            )  # fmt: skip
            *_, signed = audit_log.read(audit_log.path_in(settings.home_path))
            count = reference_store.load(
                where, template, changed, signed.seq, clock.now_us(), namespace.by
            )
            print(f"{template.path}: {count} rows of {table}, version {signed.seq}")
    finally:
        client.close()
    return 0


def _write(directory: Path) -> int:
    directory.mkdir(parents=True, exist_ok=True)
    for path in sorted(_TEMPLATES.glob("*.csv")):
        target = directory / path.name
        if target.exists():
            raise InputError(str(target), "exists and is not overwritten; give another directory")
        shutil.copyfile(path, target)
        print(target)
    return 0
