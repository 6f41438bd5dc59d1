"""`tickhouse doctor`: checks machine, settings and what runs, and names the remedy of each fault.

Exit code 1 when a check failed; warnings leave it at 0.
"""

import argparse

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cli.check import Check
from cli.checks_machine import machine_checks
from cli.checks_stack import loaded_settings, stack_checks
from cli.checks_warehouse import warehouse_checks

LOADS_SETTINGS_ITSELF = True

_SIGNS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "failed": "[red]✗[/]"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(namespace: argparse.Namespace) -> int:
    """Check, tell, and return 1 when something failed."""
    config, settings_check = loaded_settings()
    checks = [
        *machine_checks(config.home_path),
        settings_check,
        *stack_checks(config),
        *warehouse_checks(config),
    ]
    console = Console(highlight=False)
    console.print(table_of(checks))
    failed = sum(check.result == "failed" for check in checks)
    warnings = sum(check.result == "warning" for check in checks)
    console.print(f"{len(checks)} checks, {failed} failed, {warnings} warnings")
    return 1 if failed else 0


def table_of(checks: list[Check]) -> Table:
    """Checks as people read them."""
    table = Table("", Column("check", no_wrap=True), "found", "remedy")
    for check in checks:
        texts = (escape(text) for text in (check.name, check.found, check.remedy))
        table.add_row(_SIGNS[check.result], *texts)
    return table
