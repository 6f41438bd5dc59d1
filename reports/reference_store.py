"""Reference data in the warehouse: what a template changes, and its rows as a new version.

Rows are only ever added. A later version of a row counts from when it was loaded; what a report
was made from is found again by the version it names.
"""

import hashlib
from typing import Any

import msgspec
import numpy as np
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.native import TEXT, TIME, Column
from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from core.sections import ClickhouseSettings
from reports.reference import Template
from reports.reference_rows import TABLES, Row, key_of


class Change(msgspec.Struct, frozen=True):
    """One row that a template adds or changes; `was` is empty for a new one."""

    table: str
    key: tuple[str, ...]
    was: dict[str, Any]
    now: dict[str, Any]


def changes(client: Client, template: Template) -> list[Change]:
    """What loading the template would change; rows that say what is known are none."""
    table, _ = TABLES[template.kind]
    known = _known(client, template.kind)
    changed = []
    for row in template.rows:
        before = known.get(key_of(row))
        if before == row:
            continue
        was, now = (msgspec.to_builtins(before) if before else {}), msgspec.to_builtins(row)
        different = {k: v for k, v in now.items() if was.get(k) != v}
        key = tuple(str(part) for part in key_of(row))
        changed.append(Change(table, key, {k: was[k] for k in different if was}, different))
    return changed


def load(
    where: ClickhouseSettings, template: Template, changed: list[Change], version: int,
    now_us: int, by: str,
) -> int:  # fmt: skip
    """Add the changed rows as a version; how many."""
    keys = {change.key for change in changed}
    rows = [r for r in template.rows if tuple(str(part) for part in key_of(r)) in keys]
    if not rows:
        return 0
    columns = [
        *message_columns(rows),
        Column("version", "UInt64", np.full(len(rows), version, "<u8")),
        Column("ts_init", TIME, now_us),
        Column("loaded_by", TEXT, by),
    ]
    with Writer(where) as writer:
        writer.insert(TABLES[template.kind][0], columns)
    return len(rows)


def digest(template: Template) -> str:
    """SHA-256 of the file."""
    return hashlib.sha256(template.content).hexdigest()


def _known(client: Client, kind: type[Row]) -> dict[tuple[Any, ...], Row]:
    table, count = TABLES[kind]
    names = ", ".join(f"`{name}`" for name in kind.__struct_fields__)
    keys = ", ".join(f"`{name}`" for name in kind.__struct_fields__[:count])
    with errors_translated():
        stored = client.query(
            f"SELECT {names} FROM {table} ORDER BY {keys}, version DESC, ts_init DESC"
            f" LIMIT 1 BY {keys}"
        ).result_rows
    rows = (kind(*values) for values in stored)
    return {key_of(row): row for row in rows}
