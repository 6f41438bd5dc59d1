"""A sealed day: what was journalled up to its end, exported, rooted, signed, made read-only.

`<archive>/<day>/` holds the bytes of the journals, the same events as Parquet, the lines of the
log, and `root.json` with its signature `root.sig`. Each root names the one before by its SHA-256,
so a seal cannot be taken out of the row. Copy the folder to storage that refuses changes (object
lock, WORM): file modes stop a slip, not a person.

A seal goes on where the last one ended, whatever the clock said: nothing falls between two days.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from audit import signing
from audit.merkle import Merkle
from audit.streams import Event, EventStream, Placed, problem_in_chain
from core import durable
from core.contracts.audit import AuditEvent
from core.contracts.order import OrderEvent
from core.errors import InputError, SettingsError

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetWriter

LAYOUT = "seal-draft-1"
_ROWS = 20_000  # of one Parquet row group: bounds memory


class SealedStream(msgspec.Struct, frozen=True):
    """What a root says of one stream: events `first_seq` to `last_seq`, none when first > last."""

    name: str
    first_seq: int
    last_seq: int
    count: int
    last_hash: str
    root: str  # Merkle root over the events' hashes
    end: int  # byte of the source after the last sealed event


class Root(msgspec.Struct, frozen=True):
    """The content of `root.json`."""

    layout: str
    day: date
    sealed_us: int
    previous: str  # SHA-256 of the previous day's root.json; "" for the first
    streams: tuple[SealedStream, ...]
    files: dict[str, str]  # name -> SHA-256


class Seal(NamedTuple):
    """A sealed day found on disk."""

    folder: Path
    root: Root
    content: bytes  # of root.json
    signature: bytes


def seals(archive: Path) -> list[Seal]:
    """Every sealed day, oldest first.

    Raises:
        InputError: a folder without a readable root or signature.
    """
    sealed = []
    for folder in sorted(archive.glob("????-??-??")):
        try:
            content = (folder / "root.json").read_bytes()
            root = msgspec.json.decode(content, type=Root)
            sealed.append(Seal(folder, root, content, (folder / "root.sig").read_bytes()))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            problem = f"no sealed day ({error}); bring it back from the archive"
            raise InputError(str(folder), problem) from error
    return sealed


def seal(
    streams: Iterable[EventStream], day: date, archive: Path, key: Path, home: Path, now_us: int
) -> Root:
    """Seal a UTC day that is over; nothing of it is visible until all of it is on disk.

    Raises:
        SettingsError: the day is not over, or not after the last sealed one, or is sealed.
        InputError: a stream is broken, or the key is unusable.
    """
    end_us = (
        int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1e6) + 86_400_000_000
    )
    earlier = seals(archive)
    if end_us > now_us:
        raise SettingsError(f"{day} is not over yet (UTC): seal it tomorrow")
    if earlier and earlier[-1].root.day >= day:
        raise SettingsError(f"{archive} is sealed up to {earlier[-1].root.day}: a day after it")
    archive.mkdir(parents=True, exist_ok=True)
    temporary = archive / f".{day}.{os.getpid()}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        before = {s.name: s for s in earlier[-1].root.streams} if earlier else {}
        sealed = tuple(
            _seal_stream(stream, before.get(stream.name), end_us, temporary) for stream in streams
        )
        files = {path.name: sha256(path) for path in sorted(temporary.iterdir())}
        previous = hashlib.sha256(earlier[-1].content).hexdigest() if earlier else ""
        root = Root(LAYOUT, day, now_us, previous, sealed, files)
        content = msgspec.json.format(msgspec.json.encode(root)) + b"\n"
        (temporary / "root.json").write_bytes(content)
        (temporary / "root.sig").write_bytes(signing.sign(key, home, content))
        settle(temporary, archive / str(day))
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return root


def settle(temporary: Path, final: Path) -> None:
    """Sync every file of a folder, make it read-only, and give the folder its name at once."""
    for path in temporary.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.chmod(0o444)
    durable.rename(temporary, final)


def sha256(path: Path) -> str:
    """Of a file's content, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def last_day(now_us: int) -> date:
    """The newest UTC day that is over."""
    return datetime.fromtimestamp(now_us / 1e6, UTC).date() - timedelta(days=1)


def _seal_stream(
    stream: EventStream, before: SealedStream | None, end_us: int, folder: Path
) -> SealedStream:
    name = stream.name.replace(" ", "-")
    last = before.last_seq if before else 0
    begin = before.end if before else 0
    tree, export = Merkle(), _Export(folder / f"{name}.parquet")
    newest, end = None, begin
    for placed in _due(stream, last, before.last_hash if before else "", end_us):
        tree.add(bytes.fromhex(placed.event.hash))
        export.add(placed.event)
        newest, end = placed.event, placed.end
    export.close()
    if newest is not None and end:
        with (folder / f"{name}.journal").open("wb") as copied:
            copied.writelines(stream.pieces(begin, end))
    return SealedStream(
        stream.name, last + 1, newest.seq if newest else last, tree.count,
        newest.hash if newest else (before.last_hash if before else ""), tree.root(), end,
    )  # fmt: skip


def _due(stream: EventStream, sealed: int, sealed_hash: str, end_us: int) -> Iterator[Placed]:
    """Events after the sealed ones, up to the first that was journalled after the day's end."""
    previous: Event | None = None
    for placed in stream.events(0):
        event = placed.event
        if problem := problem_in_chain(event, previous):
            raise InputError(str(stream.path), f"{problem}; run: tickhouse audit verify", event.seq)
        if event.seq == sealed and event.hash != sealed_hash:
            problem = "not the event that was sealed; run: tickhouse audit verify"
            raise InputError(str(stream.path), problem, event.seq)
        previous = event
        if event.seq > sealed:
            if event.ts_init_us >= end_us:
                return
            yield placed


class _Export:
    """Events as one Parquet file, a row group at a time; no file without events."""

    def __init__(self, path: Path) -> None:
        self._path, self._rows = path, list[dict[str, object]]()
        self._writer: ParquetWriter | None = None

    def add(self, event: OrderEvent | AuditEvent) -> None:
        row = msgspec.structs.asdict(event)
        self._rows.append(row | {"kind": str(row["kind"])} if "kind" in row else row)
        if len(self._rows) >= _ROWS:
            self._write()

    def close(self) -> None:
        if self._rows:
            self._write()
        if self._writer is not None:
            self._writer.close()

    def _write(self) -> None:
        # Once a day: Dagster's code server, which loads this module, runs for weeks.
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist(self._rows)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)
        self._rows.clear()
