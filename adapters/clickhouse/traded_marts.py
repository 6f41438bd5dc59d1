"""The marts of what was traded, filled between two builds of dbt, or where dbt is not installed.

Their models are read from the dbt project: those tagged `intraday`, and the views they stand on,
which become subqueries. So a home that has just traded can be asked at once; dbt builds the same
tables, with its checks, when the trading day is over. A test compares the two, row for row.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse import marts
from adapters.clickhouse.client import errors_translated
from core.shipped import shipped

TAG = "intraday"
_FILLING = "__filling"  # behind the name of a mart: what takes its place
#: An order that came this long after they were filled wants them filled again.
_BEHIND_S = 60
_DUE = """
SELECT
    maxIf(modification_time, table = 'order_event') AS came,
    maxIf(modification_time, table = 'fct_order') AS filled,
    came > filled + {behind_s:UInt32}
    AND (SELECT count() > 0 FROM order_event WHERE mode = {mode:String}) AS is_due
FROM system.parts
WHERE
    active AND (database = currentDatabase() AND table = 'order_event'
    OR database = {marts:String} AND table = 'fct_order')
"""


class Model(NamedTuple):
    """A mart's SELECT; `days`: the column by which it is partitioned and built, if by one."""

    name: str
    sql: str
    days: str


def is_due(client: Client, mode: str) -> bool:
    """Whether orders came that they do not know of, by more than a minute."""
    given = {"marts": marts.database(client, mode), "mode": mode, "behind_s": _BEHIND_S}
    with errors_translated():
        return bool(client.query(_DUE, parameters=given).result_rows[0][-1])


def fill(client: Client, mode: str) -> dict[str, int]:
    """Fill them; rows of each. Who reads meanwhile sees all of the old or all of the new.

    Args:
        client: of one server, with the rights of who makes tables; its database is the product's.

    Raises:
        WarehouseError, UnavailableError: ClickHouse refused, or does not answer.
    """
    database = marts.database(client, mode)
    with errors_translated():
        for model in models(str(client.database), database, mode):
            _fill(client, database, model)
        rows = client.query(
            "SELECT name, total_rows FROM system.tables WHERE database = {db:String}"
            " AND name IN {names:Array(String)}",
            parameters={"db": database, "names": list(_names())},
        ).result_rows
    return {str(name): int(count) for name, count in rows}


def _fill(client: Client, database: str, model: Model) -> None:
    table, filling = f"`{database}`.`{model.name}`", f"`{database}`.`{model.name}{_FILLING}`"
    client.command(f"DROP TABLE IF EXISTS {filling} SYNC")
    # Of this version, whatever version the mart is of that it takes the place of.
    statement = marts.statements()[model.name]
    client.command(statement.replace(f"{marts.DATABASE}.{model.name}", filling, 1))
    columns = ", ".join(f"`{name}`" for name in marts.columns()[model.name])
    client.command(f"INSERT INTO {filling} ({columns}) SELECT {columns} FROM ({model.sql})")
    if model.days:  # older days keep what was built from rows that retention has taken since
        for (day,) in client.query(f"SELECT DISTINCT _partition_id FROM {filling}").result_rows:
            client.command(f"ALTER TABLE {table} REPLACE PARTITION ID '{day}' FROM {filling}")
    else:
        client.command(f"EXCHANGE TABLES {table} AND {filling}")
    client.command(f"DROP TABLE {filling} SYNC")


def models(database: str, in_marts: str, mode: str) -> Iterator[Model]:
    """Every model of the tag, as SQL over the tables of one database and mode."""
    project = _Project(database, in_marts, mode)
    for name in _names():
        yield project.model(name)


@cache
def _files() -> dict[str, Path]:
    return {path.stem: path for path in sorted((shipped("dbt") / "models").rglob("*.sql"))}


@cache
def _names() -> tuple[str, ...]:
    tagged = re.compile(rf'tags=\[[^\]]*"{TAG}"')
    return tuple(name for name, path in _files().items() if tagged.search(path.read_text()))


class _Project:
    """What dbt's templates may say, as far as these models and their macros say it."""

    def __init__(self, database: str, in_marts: str, mode: str) -> None:
        import yaml  # type: ignore[import-untyped]
        from jinja2 import Environment, StrictUndefined

        folder = shipped("dbt")
        settings = yaml.safe_load((folder / "dbt_project.yml").read_text())
        self._variables: dict[str, Any] = {**settings["vars"], "mode": mode}
        self._database, self._marts = database, in_marts
        self._configured: dict[str, Any] = {}
        texts = [path.read_text() for path in sorted((folder / "macros").glob("*.sql"))]
        self._macros = "".join(text for text in texts if "{% test" not in text)  # dbt's own tag
        # SQL, no page: what is put in are names and settings of ours.
        self._templates = Environment(undefined=StrictUndefined, extensions=["jinja2.ext.do"])  # noqa: S701
        self._templates.globals.update(
            ref=self._ref, source=lambda _, table: f"`{self._database}`.`{table}`",
            config=self._config, var=self._var, is_incremental=lambda: True,
        )  # fmt: skip
        self._this = ""

    def model(self, name: str) -> Model:
        self._configured = {}
        self._this = f"`{self._marts}`.`{name}`"
        sql = self._rendered(name)
        partition = str(self._configured.get("partition_by", ""))
        return Model(name, sql, partition)

    def _rendered(self, name: str) -> str:
        text = self._macros + _files()[name].read_text()
        return self._templates.from_string(text).render(this=self._this).strip()

    def _ref(self, name: str) -> str:
        """A view's SELECT; another mart is not among what these stand on."""
        return f"(\n{self._rendered(name)}\n)"

    def _config(self, **given: Any) -> str:
        self._configured |= given
        return ""

    def _var(self, name: str, default: Any = None) -> Any:
        return self._variables.get(name, default)
