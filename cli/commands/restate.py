"""`tickhouse restate`: what follows from corrections, worked off now, and what followed so far.

Dagster does the same by itself whenever a correction came in; this is for a home without it, and
for whoever does not want to wait.
"""

import argparse
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace
from rich.table import Table

from cli.commands.printed import output
from cli.stack.warehouse_client import at_hand, warehouse_client, warehouse_settings
from core import crashpoint
from core.clock import SystemClock
from core.errors import SettingsError
from core.home_users import COMMANDS
from core.identity import this_user
from core.settings import Settings
from core.shipped import INSTALL_SCHEDULES

if TYPE_CHECKING:
    from orchestration.restatement.rows import Restatement

LEFT = 1
_NEEDED = ("dbt", "great_expectations")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Do it, or only look."""
    parser.add_argument(
        "--dry-run", action="store_true", help="show what is pending and done, and change nothing"
    )
    parser.add_argument("--json", action="store_true", help="print every row as JSON")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Work off, print; 1 when something could not be restated."""
    from orchestration.restatement import rows

    crashpoint.arm_for("restate", settings.chaos.crash_at, settings.home_path / "run")
    problems: Sequence[str] = ()
    with at_hand(settings), closing(warehouse_client(settings, COMMANDS)) as client:
        if not namespace.dry_run and rows.due(client):
            problems = _work_off(settings, client)
        listed = rows.listed(client)
    if namespace.json:
        print(msgspec.json.encode({"restatements": listed, "problems": problems}).decode())
    else:
        _print(listed, problems)
    return LEFT if problems else 0


def _work_off(settings: Settings, client: Any) -> Sequence[str]:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"restating needs {' and '.join(missing)}, not installed: {INSTALL_SCHEDULES};"
            " what is pending stays so: tickhouse restate --dry-run"
        )
    from orchestration.restatement import run as restatement
    from orchestration.restatement.work import Desk

    settings = replace(settings, clickhouse=warehouse_settings(settings, COMMANDS))
    return restatement.restate(Desk(settings, client, SystemClock(), this_user()))


def _print(listed: "Sequence[Restatement]", problems: Sequence[str]) -> None:
    console = output.console()
    if not listed:
        console.print("No correction has come in yet: nothing to restate.")
        return
    table = Table(title="Restatements")
    for name in ("trading day", "feed", "what", "subject", "state", "rows", "correction"):
        table.add_column(name, overflow="fold")
    for row in listed:
        colour = "yellow" if row.status == "pending" else "green"
        table.add_row(
            str(row.trading_day), f"{row.source}.{row.symbol}".strip("."), row.what, row.subject,
            f"[{colour}]{row.status}[/]", f"{row.rows:,}", row.correction_id[:12],
        )  # fmt: skip
    console.print(table)
    for problem in problems:
        console.print(f"[red]not restated:[/] {problem}", soft_wrap=True)
    pending = sum(row.status == "pending" and row.subject == "*" for row in listed)
    console.print(f"{pending} pending." if pending else "Nothing is pending.")
