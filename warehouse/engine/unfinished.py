"""Blocks that the engine noted as stored and was killed before it stored them.

MergeTree writes a block's id into the table's deduplication log and then renames the part into
place. A process killed between the two (60 µs) forgets the part, which was still `tmp_insert_…`,
and keeps the note: the writer's retry of a block that nobody has would be taken for a repetition.
So before the engine opens its tables, such notes are taken out.
"""

import os
from pathlib import Path

_UNPLACED = "tmp_insert_"


def forget_unplaced(store: Path) -> int:
    """Take out the notes of parts that were not put in place; returns how many.

    store: the engine's folder of tables, which no engine has open. A log is replaced as a whole,
    so a kill meanwhile leaves the old one, and the next start does it again.
    """
    taken = 0
    for table in store.glob("*/*"):
        for log in table.glob("deduplication_logs/deduplication_log_*.txt"):
            taken += _forget(log, _unplaced(table), store.with_name("notes.tmp"))
    return taken


def _unplaced(table: Path) -> set[str]:
    names = {part.name.removeprefix(_UNPLACED) for part in table.glob(_UNPLACED + "*")}
    return {name for name in names if not (table / name).exists()}


def _forget(log: Path, parts: set[str], replacement: Path) -> int:
    # A record: operation, part, block id, with tabs between them.
    records = log.read_text("utf-8").splitlines(keepends=True) if parts else []
    kept = [record for record in records if _part(record) not in parts]
    if len(kept) < len(records):
        replacement.write_text("".join(kept), "utf-8")
        os.replace(replacement, log)
    return len(records) - len(kept)


def _part(record: str) -> str:
    return [*record.split("\t"), ""][1]
