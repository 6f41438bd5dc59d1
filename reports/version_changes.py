"""What a restated version says otherwise than the version before it, value by value.

Rows are known by the columns that their sheet is ordered by. Only keys and hashes of all rows are
held at once; the rows themselves are read again where they differ.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from reports.tables import columns_of, rows_of

FILE = "restated.csv"  # in the folder of a version: what the one before said otherwise
COLUMNS = ("file", "row", "change", "column", "before", "after")
Row = dict[str, str]


class Change(NamedTuple):
    """One value; of a row that came or went, the row alone."""

    file: str
    row: str  # the values of its key, with a space between
    change: str  # added, removed or changed
    column: str = ""
    before: str = ""
    after: str = ""


def changes(file: str, before: Path, after: Path, key: Sequence[str]) -> Iterator[Change]:
    """What differs between two versions of a file; of a column that only one has, nothing."""
    if not before.exists():
        return
    shared = [name for name in columns_of(after) if name in columns_of(before)]
    old, new = _hashes(before, key, shared), _hashes(after, key, shared)
    differ = {known for known in old.keys() | new.keys() if old.get(known) != new.get(known)}
    then, now = _rows(before, key, differ), _rows(after, key, differ)
    for known in sorted(differ):
        name = " ".join(known)
        if known not in then or known not in now:
            yield Change(file, name, "removed" if known in then else "added")
            continue
        for column in shared:
            if then[known][column] != now[known][column]:
                yield Change(file, name, "changed", column, then[known][column], now[known][column])


def said(all_changes: Sequence[Change]) -> str:
    """In one sentence, for paper."""
    counts = Counter(change.change for change in all_changes)
    rows = len({(c.file, c.row) for c in all_changes if c.change == "changed"})
    return (
        f"{counts['added']} rows came, {counts['removed']} went, {counts['changed']} values of"
        f" {rows} rows changed; all are in {FILE}."
    )


Key = tuple[str, ...]


def _hashes(path: Path, key: Sequence[str], columns: Sequence[str]) -> dict[Key, int]:
    """A row's hash; rows of one key, where the key is not unique, are told apart by their order."""
    seen_before = Counter[Key]()
    hashes = dict[Key, int]()
    for row in rows_of(path):
        hashes[_numbered(row, key, seen_before)] = hash(tuple(row[name] for name in columns))
    return hashes


def _rows(path: Path, key: Sequence[str], wanted: set[Key]) -> dict[Key, Row]:
    seen_before = Counter[Key]()
    rows = ((_numbered(row, key, seen_before), row) for row in rows_of(path))
    return {known: row for known, row in rows if known in wanted}


def _numbered(row: Row, key: Sequence[str], seen_before: Counter[Key]) -> Key:
    known = tuple(row[name] for name in key)
    seen_before[known] += 1
    return known if seen_before[known] == 1 else (*known, f"#{seen_before[known]}")
