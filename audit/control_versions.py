"""The chain of signed controls in the warehouse: brought over entry by entry, and compared.

The chain is the source, and is checked by its own signatures; the warehouse's copy is a witness: a
chain that was shortened on both disks of this machine is still told by it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from core.controls.entry import Entry, line, sha256
from core.controls.fold import fold
from core.controls.store import Place
from core.errors import InputError


class Difference(NamedTuple):
    """Where chain and warehouse part. `witness`: "chain" or "warehouse"."""

    witness: str
    number: int
    problem: str


class ControlVersion(msgspec.Struct, frozen=True):
    """A row of `control_version`."""

    number: int
    kind: str
    subject: str
    base: int
    raises: bool
    actor: str
    reason: str
    changes: str
    ts_event_us: int
    ts_until_us: int
    content_hash: str
    signature: str
    previous_hash: str
    hash: str


def read(home: Path) -> Iterator[ControlVersion]:
    """The entries of a home's chain as they stand, unchecked.

    Raises:
        InputError: a line is no entry.
    """
    path = path_in(home)
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    for number, raw in enumerate(lines, 1):
        try:
            yield _row(msgspec.json.decode(raw, type=Entry), raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(str(path), f"no entry ({error})", number) from error


def path_in(home: Path) -> Path:
    """The chain of a home."""
    return home / "controls" / "chain.jsonl"


def _row(entry: Entry, raw: bytes) -> ControlVersion:
    return ControlVersion(
        number=entry.number, kind=entry.kind, subject=entry.subject, base=entry.base,
        raises=entry.raises, actor=entry.by, reason=entry.reason,
        changes="\n".join(entry.changes), ts_event_us=entry.ts_us, ts_until_us=entry.until_us,
        content_hash=entry.content, signature=entry.signature, previous_hash=entry.previous,
        hash=sha256(raw),
    )  # fmt: skip


def export(client: Client, writer: Writer, home: Path) -> int:
    """Bring over what the warehouse lacks of the genuine entries; how many those were.

    An entry that nobody signed, or that does not go on from what is stored, is left to `compare`.

    Raises:
        UnavailableError, WarehouseError: see Writer.
    """
    path = path_in(home)
    if not path.is_file():
        return 0
    with errors_translated():
        [(last, last_hash)] = client.query(
            "SELECT max(number), argMax(hash, number) FROM control_version"
        ).result_rows
    # Without the copy outside the home: whether this is the home's own chain, that copy tells.
    contents = Place(home, home / "controls").content
    genuine = fold(path.read_bytes(), contents, lambda *_: True, 0).entries
    coming = [_row(entry, line(entry)) for entry in genuine[last:]]
    if not coming or (last and coming[0].previous_hash != last_hash):
        return 0
    writer.insert("control_version", message_columns(coming))
    return len(coming)


def compare(client: Client, home: Path) -> list[Difference]:
    """The first entry in which chain and warehouse part; none when they agree."""
    with errors_translated():
        rows = client.query("SELECT number, hash FROM control_version").result_rows
    stored = {int(number): str(digest) for number, digest in rows}
    try:
        ours = {version.number: version.hash for version in read(home)}
    except InputError as error:
        return [Difference("chain", error.row or 0, str(error))]
    for number in sorted(stored):
        if number not in ours:
            problem = f"the chain ends at entry {len(ours)}, and the warehouse holds this one"
            return [Difference("warehouse", number, problem)]
        if ours[number] != stored[number]:
            return [Difference("warehouse", number, "it holds another entry of this number")]
    return []
