"""Exports of records brought back and verified, from their place and the public key alone."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.offsite import bundle
from adapters.offsite.store import RECORDS, Store
from audit import signing
from audit.merkle import Merkle
from audit.records.contents import FOLDER, LAYOUT, ROOT, SIGNATURE, Part, Root
from audit.records.days import days, insert
from audit.retention.tables import tables
from core import checked_json
from core.errors import InputError, SettingsError
from core.settings import Settings


class Export(NamedTuple):
    """One that was unpacked and found good. Its folder goes when the next is asked for."""

    name: str
    folder: Path
    root: Root
    content: bytes  # of its root, as signed

    def parquet(self, part: Part) -> bytes:
        """A part's file."""
        return (self.folder / FOLDER / part.file).read_bytes()


def public_key(settings: Settings) -> Path:
    """The key that exports are checked with.

    Raises:
        SettingsError: it is not set.
    """
    if not settings.reports.public_key:
        raise SettingsError("reports.public_key is not set: the .pub beside the signing key")
    return Path(settings.reports.public_key).expanduser()


def exports(place: Store, key: Path, folder: Path, home: str = "") -> Iterator[Export]:
    """Every export of a home, the first first: fetched, unpacked and found good, one at a time.

    Args:
        folder: where they are unpacked.
        home: as their names say; "" where the place holds one home's alone.

    Raises:
        InputError: something was changed, is missing, or is signed with another key.
        UnavailableError: the place does not answer.
    """
    names = sorted(one.name for one in place.listed() if home in one.name)
    if len(homes := {name.split(".")[1] for name in names}) > 1:
        raise InputError(RECORDS, f"exports of several homes, {', '.join(homes)}: say which, --of")
    previous = ""
    for number, name in enumerate(names, 1):
        into = folder / str(number)
        try:
            one = _unpacked(place, name, into, key)
            if (one.root.number, one.root.previous) != (number, previous):
                problem = "does not follow the export before it: one is gone, or another"
                raise InputError(name, problem)
            previous = hashlib.sha256(one.content).hexdigest()
            yield one
        finally:
            shutil.rmtree(into, ignore_errors=True)


def restore(client: Client, every: Iterable[Export]) -> dict[str, int]:
    """Bring exports into a warehouse whose tables are there and empty; rows by table.

    A day that was exported again replaces what came of it before.

    Raises:
        InputError: a table holds rows already, is not there, or counts otherwise than was sealed.
        WarehouseError: it refused.
    """
    sealed = dict[tuple[str, date], Part]()
    columns = dict[str, tuple[str, ...]]()
    for one in every:
        _check_tables(client, one, columns)
        columns |= one.root.columns
        for part in one.root.parts:
            if (part.table, part.day) in sealed:
                _forget(client, part)
            if part.rows:
                insert(client, part.table, columns[part.table], one.parquet(part))
            sealed[part.table, part.day] = part
    _compare(client, columns, sealed)
    rows = dict.fromkeys(columns, 0)
    for part in sealed.values():
        rows[part.table] += part.rows
    return rows


def _unpacked(place: Store, name: str, folder: Path, key: Path) -> Export:
    bundle.unpack(place.get(name), folder, name)
    try:
        content = (folder / FOLDER / ROOT).read_bytes()
        signature = (folder / FOLDER / SIGNATURE).read_bytes()
    except OSError as error:
        raise InputError(name, f"is no export of records: {error}") from error
    if not signing.fits(key, content, signature):
        raise InputError(name, "its signature was not made with this key")
    try:
        root = checked_json.decode(content, Root)
    except msgspec.DecodeError as error:
        raise InputError(name, f"its root cannot be read: {error}") from error
    if root.layout != LAYOUT:
        raise InputError(name, f"is of layout {root.layout}, this version reads {LAYOUT}")
    one = Export(name, folder, root, content)
    _check_files(one)
    return one


def _check_files(one: Export) -> None:
    tree = Merkle()
    for part in one.root.parts:
        try:
            digest = hashlib.sha256(one.parquet(part)).hexdigest()
        except OSError as error:
            raise InputError(one.name, f"{part.file} is gone") from error
        if digest != part.sha256:
            raise InputError(one.name, f"{part.file} is not what was signed")
        tree.add(bytes.fromhex(part.sha256))
    if tree.root() != one.root.root:
        raise InputError(one.name, "its files give another root than the one signed")


def _check_tables(client: Client, one: Export, known: Mapping[str, object]) -> None:
    there = {table.name for table in tables(client)}
    for name in one.root.columns:
        if name not in there:
            raise InputError(one.name, f"no table {name} here: another version of the product")
        with errors_translated():
            if name not in known and int(str(client.command(f"SELECT count() FROM `{name}`"))):
                raise InputError(one.name, f"table {name} holds rows: restore into a bare home")


def _forget(client: Client, part: Part) -> None:
    table = next(table for table in tables(client) if table.name == part.table)
    with errors_translated():
        client.command(
            f"ALTER TABLE `{part.table}` DELETE WHERE toDate({table.time}) = toDate('{part.day}')",
            settings={"mutations_sync": 2},
        )


def _compare(
    client: Client, columns: Mapping[str, tuple[str, ...]],
    sealed: Mapping[tuple[str, date], Part],
) -> None:  # fmt: skip
    known = {table.name: table for table in tables(client)}
    for name, listed in columns.items():
        counted = {p.day: (p.rows, p.checksum) for p in days(client, known[name], listed)}
        wanted = {
            p.day: (p.rows, p.checksum) for p in sealed.values() if p.table == name and p.rows
        }
        if counted != wanted:
            day = min(day for day in counted | wanted if counted.get(day) != wanted.get(day))
            problem = (
                f"table {name}: {day} came back as {counted.get(day)}, sealed {wanted.get(day)}"
            )
            raise InputError(f"{name} {day}", problem)
