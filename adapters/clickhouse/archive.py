"""Backups of the warehouse's database, each proved by restoring it.

A backup is ClickHouse's own (BACKUP DATABASE ... TO File) beside a manifest of rows and checksum
per table. Both are taken from a restored copy: writers go on during a backup, so only the copy
can say what is in it, and a backup nobody has restored is a hope.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core import checked_json
from core.errors import InputError, WarehouseError

_DATA, _MANIFEST = "data", "manifest.json"
_PROOF = "tickhouse_proof"  # the restored copy; dropped again
_CLAIMS = "tick_claim"


class TableSum(msgspec.Struct, frozen=True):
    """Rows of a table and a checksum over all of them, whatever their order."""

    rows: int
    checksum: str  # of every stored column, 64 bits, decimal


class BackupManifest(msgspec.Struct, frozen=True):
    """What a backup holds."""

    database: str
    taken_at: str  # UTC, ISO 8601
    server: str  # its version
    tables: dict[str, TableSum]


def backup(client: Client, folder: Path, taken_at: str) -> BackupManifest:
    """Back the client's database up into a new folder, and prove it.

    Args:
        client: may run BACKUP; `folder` is on the server's machine.
        folder: absolute; it must not exist.
        taken_at: for the manifest.

    Raises:
        InputError: the folder exists.
        WarehouseError: ClickHouse refused; or the copy did not come back.
    """
    database = str(client.database)
    if folder.exists():
        raise InputError(str(folder), "exists already: choose a new folder")
    folder.mkdir(parents=True)
    with errors_translated():
        client.command(f"BACKUP DATABASE `{database}` TO File({_quoted(folder / _DATA)})")
        with _proof(client, folder, database) as proof:
            sums = sums_of(client, proof)
        manifest = BackupManifest(database, taken_at, str(client.server_version), sums)
    text = msgspec.json.format(msgspec.json.encode(manifest))
    (folder / _MANIFEST).write_bytes(text + b"\n")
    return manifest


def manifest_of(folder: Path) -> BackupManifest:
    """What a backup says it holds.

    Raises:
        InputError: no backup, or one that was not finished.
    """
    try:
        return checked_json.decode((folder / _MANIFEST).read_bytes(), BackupManifest)
    except OSError as error:
        raise InputError(
            str(folder), f"{_MANIFEST}: {error.strerror}: this is no finished backup"
        ) from error
    except msgspec.DecodeError as error:
        raise InputError(str(folder), f"{_MANIFEST}: {error}: take another backup") from error


def restore(client: Client, folder: Path, *, replace: bool = False) -> BackupManifest:
    """Bring a backup back into the client's database, and verify it.

    A copy is restored and compared first, so what is there is dropped only for a good backup.

    Args:
        client: may run RESTORE and DROP; nothing else writes meanwhile.
        folder: absolute, on the server's machine.
        replace: drop what is in the database now.

    Raises:
        InputError: no backup, or rows or checksums differ from its manifest.
        WarehouseError: the database holds rows and `replace` is not given; ClickHouse refused.
    """
    manifest, database = manifest_of(folder), str(client.database)
    with errors_translated():
        if not replace and (rows := _rows(client)):
            raise WarehouseError(
                f"database {database} holds {rows:,} rows: give --replace to drop them, "
                "or restore into another TICKHOUSE_HOME"
            )
        with _proof(client, folder, manifest.database) as proof:
            _compare(manifest, sums_of(client, proof), folder)
        client.command(f"DROP DATABASE IF EXISTS `{database}` SYNC", use_database=False)
        _restore(client, folder, manifest.database, database)
        _compare(manifest, sums_of(client, database), folder)
        # Who stored ticks when the backup was taken does not do so now: nobody waits for it.
        client.command(f"TRUNCATE TABLE IF EXISTS `{database}`.`{_CLAIMS}`")
    return manifest


def sums_of(client: Client, database: str) -> dict[str, TableSum]:
    """Rows and checksum of every table of a database that stores rows.

    Who stores ticks just now is said anew every few seconds, and changes under a backup.
    """
    rows = client.query(
        "SELECT name FROM system.tables WHERE database = {db:String} AND engine LIKE '%MergeTree' "
        "AND name != {claims:String} ORDER BY name",
        parameters={"db": database, "claims": _CLAIMS},
        settings={"max_execution_time": 0},
    ).result_rows
    return {str(name): _sum(client, database, str(name)) for (name,) in rows}


def _sum(client: Client, database: str, table: str) -> TableSum:
    columns = client.query(
        "SELECT name, type FROM system.columns WHERE database = {db:String} AND table = {t:String} "
        "AND default_kind NOT IN ('ALIAS', 'EPHEMERAL') ORDER BY position",
        parameters={"db": database, "t": table},
    ).result_rows
    # A state of an aggregate function is hashed by its bytes; nothing else can be said of it.
    terms = ", ".join(f"`{name}`" for name, _ in columns)
    sql = f"SELECT count(), sum(sipHash64({terms})) FROM `{database}`.`{table}`"
    rows, checksum = client.query(sql, settings={"max_execution_time": 0}).result_rows[0]
    return TableSum(int(rows), str(checksum))


def _compare(manifest: BackupManifest, restored: dict[str, TableSum], folder: Path) -> None:
    for table in sorted(manifest.tables.keys() | restored.keys()):
        if manifest.tables.get(table) != restored.get(table):
            raise InputError(
                str(folder),
                f"table {table}: the manifest says {manifest.tables.get(table)}, the restored copy "
                f"has {restored.get(table)}: the backup is damaged, use another one",
            )


@contextlib.contextmanager
def _proof(client: Client, folder: Path, database: str) -> Iterator[str]:
    drop = f"DROP DATABASE IF EXISTS `{_PROOF}` SYNC"
    client.command(drop, use_database=False)
    try:
        _restore(client, folder, database, _PROOF)
        yield _PROOF
    finally:
        client.command(drop, use_database=False)


def _restore(client: Client, folder: Path, database: str, into: str) -> None:
    client.command(
        f"RESTORE DATABASE `{database}` AS `{into}` FROM File({_quoted(folder / _DATA)})",
        use_database=False,
    )


def _rows(client: Client) -> int:
    total = client.query(
        "SELECT sum(total_rows) FROM system.tables WHERE database = {db:String} "
        "AND engine LIKE '%MergeTree' AND name != 'schema_migration'",
        parameters={"db": client.database},
    ).result_rows
    return int(total[0][0] or 0)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("\\", "\\\\").replace("'", "\\'") + "'"
