"""Reference data as people write it: dated CSV templates, one kind of row each.

A template's header names its kind. Every row is checked before the first is loaded; a file with
one bad row loads nothing, and all its bad rows are told.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import msgspec

from core.errors import InputError
from reports.reference_rows import NO_END, TABLES, Row, key_of
from reports.reference_rules import problems_of


class Template(msgspec.Struct, frozen=True):
    """One file, read and found good. `content` is what its SHA-256 is of."""

    path: str
    kind: type[Row]
    rows: list[Row]
    content: bytes


def read(path: Path) -> Template:
    """A template, checked.

    Raises:
        InputError: no template of ours, or bad rows; tells them all.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"{error}; name a template in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    kind = _kind(header, str(path))
    rows, problems = list[Row](), list[tuple[int, str]]()
    for number, values in enumerate(reader, 2):
        if values:
            row = _row(kind, header, values)
            if isinstance(row, str):
                problems.append((number, row))
            else:
                problems += ((number, p) for p in problems_of(row))
                rows.append(row)
    problems += _repeats(rows)
    if problems:
        listed = "; ".join(f"row {n}: {p}" for n, p in problems[:20])
        raise InputError(str(path), f"nothing was loaded, correct {listed}", problems[0][0])
    return Template(str(path), kind, rows, content)


def _kind(header: list[str], path: str) -> type[Row]:
    for kind in TABLES:
        columns = list(kind.__struct_fields__)
        needed = len(columns) - len(kind.__struct_defaults__)
        if header == columns[: len(header)] and len(header) >= needed:  # later columns may lack
            return kind
    nearest = max(TABLES, key=lambda k: len(set(k.__struct_fields__) & set(header)))
    names, given = set(nearest.__struct_fields__), set(header)
    raise InputError(
        path,
        f"its header is that of no template; for {nearest.__doc__} missing are"
        f" {sorted(names - given) or 'none'}, unknown {sorted(given - names) or 'none'};"
        " see: tickhouse reference templates DIR",
        1,
    )


def _row(kind: type[Row], header: list[str], values: list[str]) -> Row | str:
    if len(values) != len(header):
        return f"{len(values)} values for {len(header)} columns"
    named: dict[str, object] = dict(zip(header, (v.strip() for v in values), strict=True))
    for field in msgspec.structs.fields(kind):
        if field.name not in named:
            continue  # of a file from before the column: its default
        if field.type is float and named[field.name] == "":
            named[field.name] = 0.0
        if field.type is date and named[field.name] == "":
            named[field.name] = NO_END
        if field.type is bool:
            named[field.name] = {"yes": True, "no": False}.get(str(named[field.name]), "?")
    try:
        return msgspec.convert(named, kind, strict=False)
    except msgspec.ValidationError as error:
        return str(error)


def _repeats(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    keys = set()
    for number, row in enumerate(rows, 2):
        if key_of(row) in keys:
            yield number, f"{key_of(row)} stands twice in the file"
        keys.add(key_of(row))
