"""The warehouse's schema: numbered SQL files, applied once, in order, with their checksums kept.

Live materialized views belong to these files and to nothing else. A file is recorded after its
last statement, so a crash in between applies it again: every statement says IF NOT EXISTS. In a
new database, which holds no row yet, all are recorded together: an insert of its own for each would
be a third of the time. An applied file never changes; a change is a new file.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import ClusterClient, errors_translated
from core.errors import WarehouseError

_ENGINE = re.compile(r"\{engine:([A-Za-z]+)\}")
_FILE = re.compile(r"(\d{3})_[a-z0-9_]+\.sql")
_CREATED_VIEW = re.compile(r"^CREATE (?:MATERIALIZED )?VIEW IF NOT EXISTS (\w+)", re.MULTILINE)
_DROPPED_VIEW = re.compile(r"^DROP VIEW IF EXISTS (\w+)", re.MULTILINE)
_COLUMN = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file. `checksum` is the SHA-256 of its text before substitution."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256, hex, with line ends as LF."""
        return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).hexdigest()

    def statements(self) -> list[str]:
        """The statements with engines filled in, comments kept."""
        text = _ENGINE.sub(r"\1", self.text)  # cluster.py makes replicated ones of them
        return [part.strip() for part in re.split(r";[ \t]*(?:\n|$)", text) if part.strip()]


def product_migrations() -> list[Migration]:
    """The migrations of this version of the product, in order."""
    folder = resources.files("adapters.clickhouse").joinpath("migrations")
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    migrations = []
    for name in names:
        match = _FILE.fullmatch(name)
        if match is None:
            raise WarehouseError(f"migration {name}: name it NNN_<table>.sql")
        migrations.append(Migration(int(match[1]), name, folder.joinpath(name).read_text("utf-8")))
    if [m.version for m in migrations] != list(range(1, len(migrations) + 1)):
        raise WarehouseError(f"migrations are not numbered from 001 without gaps: {names}")
    return migrations


def apply(
    client: Client,
    feature_columns: Sequence[str],
    migrations: Sequence[Migration] | None = None,
) -> list[str]:
    """Bring the client's database up to date; safe to repeat.

    Args:
        client: connected to the database that is to hold the tables (it is made if missing).
        feature_columns: names of the feature catalogue; columns of `feature` that are missing
            are added, none is ever removed.
        migrations: other than the shipped ones, for tests.

    Returns:
        Names of the files applied now.

    Raises:
        WarehouseError: an applied file has changed, the database is newer than this version, or
            ClickHouse refused a statement.
    """
    migrations = product_migrations() if migrations is None else migrations
    with errors_translated():
        _create_database(client)
        applied = _applied(client)
        _refuse_changes(migrations, applied)
        missing = [m for m in migrations if m.version not in applied]
        if missing and applied:
            _refuse_other_layout(client)
        for files in [[m] for m in missing] if applied else [missing]:
            _run(client, files)
        _add_feature_columns(client, feature_columns)
    return [m.name for m in missing]


def _create_database(client: Client) -> None:
    client.command(
        f"CREATE DATABASE IF NOT EXISTS `{client.database}` ENGINE = Atomic", use_database=False
    )
    client.command(
        "CREATE TABLE IF NOT EXISTS schema_migration ("
        " version UInt32 COMMENT 'Number of the file',"
        " name String COMMENT 'Name of the file',"
        " checksum String COMMENT 'SHA-256 of its text',"
        " ts_init DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When it was applied'"
        ") ENGINE = ReplacingMergeTree ORDER BY version"
    )


def _applied(client: Client) -> dict[int, tuple[str, str]]:
    rows = client.query("SELECT version, name, checksum FROM schema_migration FINAL").result_rows
    return {int(version): (str(name), str(checksum)) for version, name, checksum in rows}


def _refuse_changes(migrations: Sequence[Migration], applied: dict[int, tuple[str, str]]) -> None:
    known = {m.version: m for m in migrations}
    for version, (name, checksum) in sorted(applied.items()):
        migration = known.get(version)
        if migration is None:
            raise WarehouseError(
                f"the database has migration {name}, which this version of Tickhouse lacks: "
                "use the version that wrote it, or a newer one"
            )
        if migration.checksum != checksum:
            raise WarehouseError(
                f"migration {migration.name} was changed after it was applied as {name}: "
                "restore the file and put the change into a new one"
            )


def _refuse_other_layout(client: Client) -> None:
    """One server's statements would change one of a cluster's servers, and the other way round."""
    [(engine,)] = client.query(
        "SELECT engine FROM system.tables "
        "WHERE database = {db:String} AND name = 'schema_migration'",
        parameters={"db": client.database},
    ).result_rows
    replicated = str(engine).startswith("Replicated")
    if replicated == isinstance(client, ClusterClient):
        return
    begun, remedy = (
        ("on a cluster", "name it in TICKHOUSE_CLICKHOUSE__CLUSTER")
        if replicated
        else (
            "on one server",
            "leave TICKHOUSE_CLICKHOUSE__CLUSTER empty, or begin another database on the cluster "
            "and copy the rows (docs/how-to/distributed.md)",
        )
    )
    raise WarehouseError(f"database {client.database} was begun {begun}: {remedy}")


def _run(client: Client, files: Sequence[Migration]) -> None:
    for statement in _lasting([s for migration in files for s in migration.statements()]):
        # A view with parameters is no table to ClickHouse, which finds those of the same database.
        client.command(statement.replace("{database}", f"`{client.database}`"))
    rows = [[m.version, m.name, m.checksum] for m in files]
    client.insert("schema_migration", rows, column_names=["version", "name", "checksum"])


def _lasting(statements: Sequence[str]) -> list[str]:
    """Without views that a later one of these drops: in a new database nobody ever sees them.

    The drops stay, for who was killed here while another version made its tables.
    """
    lasting: list[str] = []
    dropped: set[str] = set()
    for statement in reversed(statements):
        creates = _CREATED_VIEW.search(statement)
        if creates is None or creates[1] not in dropped:
            lasting.append(statement)
        if creates is not None:
            dropped.discard(creates[1])
        dropped.update(_DROPPED_VIEW.findall(statement))
    return lasting[::-1]


def _add_feature_columns(client: Client, names: Sequence[str]) -> None:
    bad = [n for n in names if not _COLUMN.fullmatch(n)]
    if bad:
        raise WarehouseError(f"feature names must be lower_snake_case: {', '.join(bad)}")
    present = _columns(client, "feature")
    clauses = [
        # Rows of an earlier feature set never had the value: NaN, not a zero nobody computed.
        f"ADD COLUMN IF NOT EXISTS `{n}` Float32 DEFAULT nan COMMENT 'Feature {n} of the catalogue'"
        for n in names
        if n not in present
    ]
    if clauses:
        client.command("ALTER TABLE feature " + ", ".join(clauses))


def _columns(client: Client, table: str) -> set[Any]:
    rows = client.query(
        "SELECT name FROM system.columns WHERE database = {db:String} AND table = {t:String}",
        parameters={"db": client.database, "t": table},
    ).result_rows
    return {row[0] for row in rows}
