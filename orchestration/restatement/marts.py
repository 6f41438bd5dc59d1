"""Marts of corrected days, built again: whoever builds them notes what that changed.

A nightly build and `tickhouse restate` go through the same function, so it does not matter which
comes first. A day whose ticks retention has taken meanwhile is not built: fewer rows would be no
correction.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core import crashpoint
from core.file_lock import locked
from orchestration import dbt_project
from orchestration.restatement import compare, rows, work
from orchestration.restatement.rows import DONE, MARKED, Change, Restatement
from orchestration.restatement.work import Desk
from quality.check_result import blocked_days
from quality.trading_day import bounds

_TABLES = """
SELECT table, groupArray(name) FROM system.columns
WHERE database = {db:String}
    AND table IN (SELECT name FROM system.tables WHERE database = {db:String} AND engine != 'View')
GROUP BY table HAVING has(groupArray(name), 'trading_day') ORDER BY table
"""
#: They judge the SQL of models, which a home's data don't change: what ships has passed them.
_NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
_GONE = "ticks of the day are no longer stored: the marts stay as they were built from all of them"


class World(NamedTuple):
    """Marts of one mode."""

    mode: str
    database: str


def worlds(client: Client, database: str) -> list[World]:
    """Those that were ever built: dbt's own views are in them, not only tables made beforehand.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    live = f"{database}_marts"
    with errors_translated():
        names = client.query(
            "SELECT DISTINCT database FROM system.tables WHERE startsWith(database, {live:String})"
            " AND engine = 'View' ORDER BY database",
            parameters={"live": live},
        ).result_rows
    return [
        World(name.removeprefix(live).lstrip("_") or "live", name)
        for name in (str(name) for (name,) in names)
        if name == live or name.startswith(f"{live}_")
    ]


def restate(desk: Desk, *options: str) -> list[Restatement]:
    """Build every world for which a correction is not in yet; what was closed.

    Args:
        desk: what it works with.
        options: of dbt's build; none: all models and their data tests.

    Raises:
        WarehouseError: dbt failed; what stood before is kept, and the next call goes on.
    """
    closed = []
    for world in worlds(desk.client, desk.settings.clickhouse.database):
        if rows.due(desk.client, "mart"):
            closed += build(desk, {"mode": world.mode}, *options)
    return closed or _close(desk)


def build(desk: Desk, variables: Mapping[str, str | bool], *options: str) -> list[Restatement]:
    """`dbt build` of one world, with the days that were corrected; what they say before and after.

    Raises:
        WarehouseError: dbt failed.
        BusyError: another build keeps the lock for an hour.
    """
    database = f"{desk.settings.clickhouse.database}_marts"
    mode = str(variables["mode"])
    world = World(mode, database if mode == "live" else f"{database}_{mode}")
    with locked(desk.settings.home_path / "dbt.lock", timeout_s=3600):
        blocked = blocked_days(desk.client)
        open_ = [
            one
            for one in _due(desk, world)
            if one.trading_day not in blocked and _is_asked(one, variables)
        ]
        for one in open_:
            work.keep(desk, one, _rows(desk.client, world, one))
        dbt_project.run(
            desk.settings, "build",
            {
                "blocked_days": ",".join(map(str, blocked)), **variables,
                "restated_days": ",".join(str(day) for day in _days(open_)),
            },
            *_NO_UNIT_TESTS, *options,
        )  # fmt: skip
        crashpoint.reach("restate.built")
        for one in open_:
            _note(desk, world, one)
        return _close(desk)


def _close(desk: Desk) -> list[Restatement]:
    """What is in the marts of every world."""
    known = worlds(desk.client, desk.settings.clickhouse.database)
    blocked = set(blocked_days(desk.client))
    return [
        work.close(desk, one)
        for one in rows.due(desk.client, "mart")
        if one.trading_day not in blocked and _is_built(desk.client, one, known)
    ]


def _due(desk: Desk, world: World) -> list[Restatement]:
    """Work of this world; days that can no longer be built are closed for it here."""
    open_ = []
    for one in rows.due(desk.client, "mart"):
        if _is_thinned(desk.client, world, one):
            gone = {f"{world.database}.fct_data_quality_daily": Change(0, None, _GONE)}
            work.note(desk, one, gone, MARKED)
        else:
            open_.append(one)
    return open_


def _is_asked(one: Restatement, variables: Mapping[str, str | bool]) -> bool:
    """A backfill of certain days only leaves the others for later."""
    if not variables.get("from_day") or variables.get("with_changed"):
        return True
    return str(variables["from_day"]) <= str(one.trading_day) <= str(variables["to_day"])


def _is_thinned(client: Client, world: World, one: Restatement) -> bool:
    start, end = bounds(one.trading_day)
    given = {
        "db": world.database, "source": one.source, "symbol": one.symbol,
        "day": one.trading_day, "start": start, "end": end,
    }  # fmt: skip
    feed = "source = {source:String} AND symbol = {symbol:String}"
    span = "ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}"
    if "fct_data_quality_daily" not in dict(_tables(client, world)):
        return False
    with errors_translated():
        built, stored, withdrawn = (
            int(client.query(sql, parameters=given).result_rows[0][0])
            for sql in (
                "SELECT sum(ticks) FROM {db:Identifier}.fct_data_quality_daily"
                f" WHERE {feed} AND trading_day = {{day:Date}}",
                f"SELECT count() FROM tick FINAL WHERE {feed} AND {span}",
                "SELECT count() FROM tick_version FINAL"
                f" WHERE kind = 'withdrawal' AND {feed} AND {span}",
            )
        )
    return stored + withdrawn < built


def _days(open_: Sequence[Restatement]) -> list[date]:
    """Their days and the days before, which look into them."""
    days = {one.trading_day for one in open_}
    return sorted(days | {day - timedelta(days=1) for day in days})


def _note(desk: Desk, world: World, one: Restatement) -> None:
    kept, now = rows.kept(desk.client, one), _rows(desk.client, world, one)
    open_ = {
        name: msgspec.json.decode(part.before or "[]")
        for name, part in kept.items()
        if name.startswith(f"{world.database}.") and part.status not in (DONE, MARKED)
    }
    new: dict[str, list[str]] = {name: [] for name in now if name not in kept}
    work.note(
        desk, one,
        {name: compare.changed(was, now.get(name, [])) for name, was in (open_ | new).items()},
    )  # fmt: skip


def _is_built(client: Client, one: Restatement, known: Sequence[World]) -> bool:
    parts = rows.kept(client, one)
    if any(part.status not in (DONE, MARKED) for part in parts.values()):
        return False
    return all(any(name.startswith(f"{world.database}.") for name in parts) for world in known)


def _rows(client: Client, world: World, one: Restatement) -> dict[str, list[str]]:
    """The rows of each mart that a tick of the day may have a part in, as JSON."""
    return {
        f"{world.database}.{table}": _of_feed(client, world, table, columns, one)
        for table, columns in _tables(client, world)
    }


def _of_feed(
    client: Client, world: World, table: str, columns: Sequence[str], one: Restatement
) -> list[str]:
    given: dict[str, Any] = {
        "db": world.database, "mart": table, "day": one.trading_day,
        "source": one.source, "symbol": one.symbol,
    }  # fmt: skip
    where = "trading_day >= {day:Date} - 1 AND trading_day <= {day:Date}" + "".join(
        f" AND {name} = {{{name}:String}}" for name in ("source", "symbol") if name in columns
    )
    shown = [name for name in columns if name != "day_rows"]  # how it was built, not what it says
    listed = ", ".join(f"`{name}`" for name in shown)
    with errors_translated():
        answer = client.query(
            f"SELECT {listed} FROM {{db:Identifier}}.{{mart:Identifier}} WHERE {where}",
            parameters=given,
        ).result_rows
    return [rows.text(dict(zip(shown, row, strict=True))) for row in answer]


def _tables(client: Client, world: World) -> list[tuple[str, list[str]]]:
    with errors_translated():
        answer = client.query(_TABLES, parameters={"db": world.database}).result_rows
    return [(str(table), [str(name) for name in names]) for table, names in answer]
