"""What one check of `tickhouse doctor` found."""

from typing import Literal

import msgspec
from rich.markup import escape
from rich.table import Column, Table

_SIGNS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "failed": "[red]✗[/]"}


class Check(msgspec.Struct, frozen=True):
    """A result; `remedy` says what to do unless all is well."""

    name: str
    result: Literal["ok", "warning", "failed"]
    found: str
    remedy: str = ""


def result_of(
    name: str, good: bool, detail: str, remedy: str, otherwise: Literal["warning", "failed"]
) -> Check:
    """`ok` without a remedy, or `otherwise` with it."""
    return Check(name, "ok", detail) if good else Check(name, otherwise, detail, remedy)


def table_of(checks: list[Check]) -> Table:
    """Checks as people read them."""
    table = Table("", Column("check", no_wrap=True), "found", "remedy")
    for check in checks:
        texts = (escape(text) for text in (check.name, check.found, check.remedy))
        table.add_row(_SIGNS[check.result], *texts)
    return table
