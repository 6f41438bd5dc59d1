"""What Tickhouse asks of a ClickHouse server, part by part, by the product's own code.

Migrations, the streams' writer, corrections' deletes, marts, boards, dbt and the roles' grants.
"""

import re
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from adapters.clickhouse import bars_restated, client, light_deletes, marts, migrate
from adapters.clickhouse.native import TEXT, Column
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from cli.diagnostics.check import Check, result_of
from cli.diagnostics.server_trial import Part, ServerTrial
from core.contracts.tick import TICK, TickArray
from core.sections import ClickhouseSettings
from core.settings import Settings
from core.shipped import INSTALL_SCHEDULES

OLDEST = (25, 8)
_SOURCE, _SYMBOLS = "check", ("EURUSD", "XAUUSD", "BTCUSD")
_START_MSC, _STEP_MSC, _TICKS = 1_700_000_000_000, 250, 4_000
_OUTSIDE = 51  # a view with parameters has no columns without them
_UTC = (
    "set <timezone>UTC</timezone> in the server's configuration and no session_timezone in profiles"
)


def server(trial: ServerTrial) -> Iterator[Check]:
    """Whether one answers that will do; the first part, on which all others stand."""
    trial.version = _version(trial.where)
    number = tuple(int(part) for part in re.findall(r"\d+", trial.version)[:2])
    wanted = ".".join(map(str, OLDEST))
    yield result_of(
        "server", number >= OLDEST, f"version {trial.version}", f"{wanted} or newer", "failed"
    )
    if number < OLDEST:
        return
    [[epoch, zone]] = trial.rows("SELECT toString(toDateTime(0)), timezone()")
    is_utc = epoch == "1970-01-01 00:00:00"
    yield result_of(
        "time zone", is_utc, zone if is_utc else f"{zone}: the epoch reads {epoch}", _UTC, "failed"
    )


def _version(where: ClickhouseSettings) -> str:
    """Asked for without the library, which gives statements at once that old servers lack."""
    once = threading.Event()
    once.set()  # nobody waits here for a server that does not answer
    with Writer(msgspec.structs.replace(where, database="system", cluster=""), once) as writer:
        return writer.ask("SELECT version()").decode().strip()


def _cluster(trial: ServerTrial) -> Iterator[Check]:
    name = trial.where.cluster
    if not name:
        yield Check("cluster", "ok", "none named: one server")
        return
    with client.errors_translated():
        hosts = trial.client.query(
            "SELECT shard_num, host_name FROM system.clusters WHERE cluster = {name:String}",
            parameters={"name": name},
        ).result_rows
        macros = {
            str(macro)
            for (macro,) in trial.client.query("SELECT macro FROM system.macros").result_rows
        }
    shards = {shard for shard, _ in hosts}
    says = f"{len(shards)} shard(s), {len(hosts)} server(s)"
    yield result_of(
        "cluster", bool(hosts), says, "name one of `SELECT cluster FROM system.clusters`", "failed"
    )
    missing = {"shard", "replica"} - macros
    remedy = f"set macro {' and '.join(sorted(missing))} in the configuration of every server"
    yield result_of(
        "macros", not missing, f"{', '.join(sorted(macros)) or 'none'}", remedy, "failed"
    )
    few = [shard for shard in shards if sum(s == shard for s, _ in hosts) < 3]
    remedy = "with two replicas a majority is both: inserts wait while one is away"
    yield result_of(
        "replicas", not few, "three or more of each shard" if not few else says, remedy, "warning"
    )


def _schema(trial: ServerTrial) -> Iterator[Check]:
    from features.catalog import NAMES

    applied = migrate.apply(trial.client, NAMES)
    again = migrate.apply(trial.client, NAMES)
    yield result_of(
        "schema", bool(applied) and not again,
        f"{len(applied)} migrations, and a second start adds {len(again)}",
        "send this verdict back", "failed",
    )  # fmt: skip


_DIFFERENT = """
SELECT t.table, t.name, t.type, o.type
FROM system.columns AS t
FULL OUTER JOIN (SELECT table, name, type FROM system.columns WHERE database = {ours:String}) AS o
    ON t.table = o.table AND t.name = o.name
WHERE t.database = {theirs:String} AND t.type != o.type
    AND t.table IN (SELECT name FROM system.tables WHERE database = {ours:String})
ORDER BY t.table, t.name
"""


def _theirs(trial: ServerTrial) -> Iterator[Check]:
    """Tables that are there already, looked at only: another program's, or of another version."""
    with client.errors_translated():
        rows = trial.client.query(
            _DIFFERENT, parameters={"ours": trial.name, "theirs": trial.theirs}
        ).result_rows
    # A column that retention added, or a feature of another catalogue, is no fault.
    wrong = [
        f"{trial.theirs}.{table}.{name} is {theirs}"
        + (f", ours is {ours}" if ours else ", ours has no such column")
        for table, name, theirs, ours in rows
        if ours or not (name == "ts_stored" or str(table).startswith("feature"))
    ]
    remedy = "another program's or version's tables: name another TICKHOUSE_CLICKHOUSE__DATABASE"
    says = (
        f"of database {trial.theirs} as ours, or not there" if not wrong else "; ".join(wrong[:5])
    )
    yield result_of("tables there", not wrong, says, remedy, "failed")


def _ticks(symbol_number: int) -> TickArray:
    ticks = np.zeros(_TICKS, TICK)
    ticks["time_msc"] = _START_MSC + np.arange(_TICKS) * _STEP_MSC
    ticks["bid"] = 1.0 + symbol_number + (np.arange(_TICKS) % 97) / 1e4
    ticks["ask"] = ticks["bid"] + 1e-4
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000
    return ticks


def _inserts(trial: ServerTrial) -> Iterator[Check]:
    """Ticks replace themselves by their key in the end; records of the audit trail do not."""
    record = [Column("stream", TEXT, _SOURCE), Column("seq", "UInt64", np.arange(10, dtype="u8"))]
    with Writer(trial.where) as writer:
        for _ in range(2):  # as after an answer that was lost
            writer.insert("audit_event", record)
            for number, symbol in enumerate(_SYMBOLS):
                writer.insert("tick", tick_columns(_SOURCE, symbol, _ticks(number)))
    ticks = trial.number("SELECT count() FROM tick FINAL")
    records = trial.number("SELECT count() FROM audit_event")
    yield result_of(
        "inserts", (ticks, records) == (_TICKS * len(_SYMBOLS), 10),
        f"12000 ticks and 10 records sent twice: {ticks} and {records} stored",
        "an insert that is sent again must be stored once: let this user's insert_deduplicate, "
        "insert_deduplication_token and deduplicate_blocks_in_dependent_materialized_views through",
        "failed",
    )  # fmt: skip


def _bars(trial: ServerTrial) -> Iterator[Check]:
    expected = _TICKS * len(_SYMBOLS)
    wrong = []
    for interval in ("1s", "1m", "5m", "1h"):
        counted = trial.number(f"SELECT sum(tick_count) FROM bar WHERE interval = '{interval}'")
        wrong += (
            [f"{interval} bars hold {counted} ticks of {expected}"] if counted != expected else []
        )
    says = "1s, 1m, 5m and 1h hold every tick once" if not wrong else "; ".join(wrong)
    yield result_of("bars", not wrong, says, "materialized views must follow inserts", "failed")


def _views(trial: ServerTrial) -> Iterator[Check]:
    with client.errors_translated():
        names = trial.client.query(
            "SELECT name FROM system.tables"
            " WHERE database = {db:String} AND engine = 'View' ORDER BY name",
            parameters={"db": trial.name},
        ).result_rows
    failed = [
        problem
        for (name,) in names
        if (problem := trial.problem(f"SELECT * FROM `{name}` LIMIT 1", _OUTSIDE))
    ]
    says = f"{len(names)} answered" if not failed else "; ".join(failed[:3])
    yield result_of("views", not failed, says, "send this verdict back", "failed")


def _corrections(trial: ServerTrial) -> Iterator[Check]:
    """What a corrected price does to `tick` and to bars; the dearest thing asked of a server."""
    times = np.array([_START_MSC], np.int64)
    of = f"source = '{_SOURCE}' AND symbol = '{_SYMBOLS[0]}'"
    with Writer(trial.where) as writer:
        writer.ask(
            f"DELETE FROM tick WHERE {of} AND ts_event = fromUnixTimestamp64Milli({_START_MSC})"
            f" SETTINGS {light_deletes.NOTED}"
        )
        light_deletes.write_in(writer, "tick", times)
        bars_restated.restate(writer, _SOURCE, _SYMBOLS[0], times)
    left = trial.number(f"SELECT count() FROM tick WHERE {of}")
    counted = trial.number(f"SELECT sum(tick_count) FROM bar WHERE interval = '1m' AND {of}")
    yield result_of(
        "corrections", left == counted == _TICKS - 1,
        f"a tick taken out: {left} of {_TICKS} left, bars hold {counted}",
        "grant ALTER DELETE ON tick; lightweight deletes need 25.8 or newer", "failed",
    )  # fmt: skip


def _marts(trial: ServerTrial) -> Iterator[Check]:
    tables = marts.make(trial.client)
    yield result_of(
        "marts", bool(tables), f"{len(tables)} tables in {len(marts.MODES)} databases", "", "failed"
    )


def _boards(trial: ServerTrial) -> Iterator[Check]:
    from dashboards.grafana.macros import BoardSpan, expand
    from dashboards.grafana.panel_queries import queries
    from dashboards.grafana.push import boards

    span = BoardSpan(_START_MSC / 1000, (_START_MSC + _TICKS * _STEP_MSC) / 1000)
    count, failed = 0, list[str]()
    for board in boards():
        for query in queries(board, lambda sql: trial.rows(_ours(trial, sql))):
            count += 1
            if problem := trial.problem(_ours(trial, expand(query.sql, span, {}))):
                failed.append(f"{query.title}: {problem}")
    says = f"{count} statements answered" if not failed else "; ".join(failed[:3])
    yield result_of("boards", not failed, says, "send this verdict back", "failed")


def _dbt(trial: ServerTrial) -> Iterator[Check]:
    """The marts built by dbt, in place of the empty ones."""
    if find_spec("dbt") is None:
        yield Check("dbt", "warning", "not tried: it is not installed here", INSTALL_SCHEDULES)
        return
    from orchestration import dbt_project

    with TemporaryDirectory() as home:
        settings = Settings(home=home, clickhouse=trial.where)
        dbt_project.run(settings, "run", {"mode": "live"})
    bars = trial.number(f"SELECT count() FROM `{marts.database(trial.client, 'live')}`.fct_bar")
    yield result_of("dbt", bars > 0, f"every model built, {bars} bars in fct_bar", "", "failed")


def _roles(trial: ServerTrial) -> Iterator[Check]:
    """Whether the roles' file does here what it says; needs the right to make users."""
    from cli.diagnostics.server_roles import tried

    yield from tried(trial.client, trial.where)


def _ours(trial: ServerTrial, sql: str) -> str:
    """Boards name the product's databases."""
    return sql.replace("tickhouse_marts", marts.database(trial.client, "live")).replace(
        "tickhouse.", f"{trial.name}."
    )


#: In this order; most stand on the schema.
PARTS: dict[str, Part] = {
    "cluster": _cluster,
    "schema": _schema,
    "tables there": _theirs,
    "inserts": _inserts,
    "bars": _bars,
    "views": _views,
    "corrections": _corrections,
    "marts": _marts,
    "boards": _boards,
    "dbt": _dbt,
    "roles": _roles,
}
