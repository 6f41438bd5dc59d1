"""`tickhouse doctor`: checks machine, settings and what runs, and names the remedy of each fault;
and the newest ten errors in the logs.

Exit code 1 when a check failed; warnings leave it at 0.
"""

import argparse
import datetime
from importlib.util import find_spec

from cli.commands.printed import output
from cli.diagnostics.check import Check, table_of
from cli.diagnostics.checks_bus import bus_checks
from cli.diagnostics.checks_controls import controls
from cli.diagnostics.checks_machine import machine_checks
from cli.diagnostics.checks_stack import loaded_settings, stack_checks
from cli.diagnostics.checks_tls import tls_checks
from cli.diagnostics.newest_errors import newest_errors
from cli.diagnostics.newest_errors import table_of as table_of_errors
from core.settings import Settings

LOADS_SETTINGS_ITSELF = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(namespace: argparse.Namespace) -> int:
    """Check, tell, and return 1 when something failed."""
    config, settings_check = loaded_settings()
    checks = all_checks(config, settings_check)
    console = output.console(highlight=False)
    console.print(table_of(checks))
    if errors := newest_errors(config.home_path):
        console.print(table_of_errors(errors))
    failed = sum(check.result == "failed" for check in checks)
    warnings = sum(check.result == "warning" for check in checks)
    console.print(f"{len(checks)} checks, {failed} failed, {warnings} warnings")
    return 1 if failed else 0


def all_checks(config: Settings, settings_check: Check) -> list[Check]:
    """Every check, in the order of the table."""
    return [
        *machine_checks(config.home_path),
        settings_check,
        *stack_checks(config),
        *bus_checks(config.bus),
        *tls_checks(config.home_path, datetime.datetime.now(datetime.UTC)),
        controls(config),
        *_of_warehouse(config),
    ]


def _of_warehouse(config: Settings) -> list[Check]:
    """A terminal's host has no client of the warehouse, and needs none."""
    if find_spec("clickhouse_connect") is None:
        return [Check("warehouse", "ok", "not looked at: its client is not installed here")]
    from cli.diagnostics.checks_warehouse import warehouse_checks

    return list(warehouse_checks(config))
