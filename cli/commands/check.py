"""`tickhouse check [--date D] [--json]`: the data checks of a trading day."""

import argparse
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec
from rich.table import Table

from cli.commands.printed import output
from cli.stack.warehouse_client import at_hand, warehouse_client
from core.clock import SystemClock
from core.errors import SettingsError
from core.home_users import COMMANDS
from core.settings import Settings
from core.shipped import INSTALL_SCHEDULES

if TYPE_CHECKING:
    from quality.check_result import CheckResult

BLOCKED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which day, and for whom."""
    parser.add_argument(
        "--date", metavar="D", help="trading day, 2014-05-02 (default: that of the newest tick)"
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Check, store, print; 1 when a blocking check failed."""
    if find_spec("great_expectations") is None:
        raise SettingsError(
            "the data checks need Great Expectations, which is not installed: " + INSTALL_SCHEDULES
        )
    from quality.runner import check_day, latest_day

    wanted = _day(namespace.date)
    with at_hand(settings), closing(warehouse_client(settings, COMMANDS)) as client:
        day = wanted or latest_day(client)
        results = check_day(client, day, SystemClock()) if day else []
    if namespace.json:
        print(msgspec.json.encode({"day": day, "checks": results}).decode())
    else:
        _print(day, results)
    return BLOCKED if any(result.blocks for result in results) else 0


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise SettingsError(f"--date {text}: write the day as 2014-05-02") from error


def _print(day: date | None, results: "Sequence[CheckResult]") -> None:
    console = output.console()
    if not results:
        console.print(f"Nothing to check: no rows on {day}." if day else "There are no ticks yet.")
        return
    table = Table(title=f"Data checks of {day}")
    for name in ("check", "result", "expected", "rows", "broke it", "share"):
        table.add_column(name, overflow="fold")
    for result in results:
        colour = "green" if result.status == "passed" else "red" if result.blocks else "yellow"
        table.add_row(
            f"{result.suite} {result.check_id}", f"[{colour}]{result.status}[/]", result.expected,
            f"{result.rows_checked:,}", f"{result.rows_failed:,}", f"{result.observed:.3%}",
        )  # fmt: skip
    console.print(table)
    blocking = sum(result.blocks for result in results)
    console.print(f"{blocking} blocking." if blocking else "Nothing blocks.")
