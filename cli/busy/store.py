"""Brings a busy day into a warehouse, through the writers that bring real days there.

What has a writer of its own (corrections, statements, reference data, audit log, checks, models)
goes through that; the rest are messages, which become columns as the flows make them.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import connect
from adapters.clickhouse.corrections import Corrections
from adapters.clickhouse.native import Column
from adapters.clickhouse.rows import (
    content_columns,
    instrument_columns,
    latency_columns,
    message_columns,
    process_columns,
    run_columns,
    tick_columns,
)
from adapters.clickhouse.writer import Writer
from adapters.offsite.backups import tell
from audit.export import export
from cli.busy import account, desk, firm, market, models, orders, risk
from cli.busy.day import SOURCE, SYMBOLS, Day, known
from cli.busy.decisions import CHAMPION, Quoted, decide
from cli.busy.own_feature import installed, widened
from cli.stack import sessions
from core import audit_log
from core.clock import ManualClock
from core.contracts.order import OrderEvent
from core.contracts.session import Session
from core.home_users import OWNER, sign_in
from core.sections import ClickhouseSettings, RiskSettings
from core.settings import Settings
from features.catalog import FEATURE_SET_HASH
from features.own_columns import OwnColumns
from quality import check_result
from reports import client_money, reference, reference_store, statement_changes, stress_now
from risk.stress import available
from streams.signal_rows import decided_rows, own_feature_rows

_TEMPLATES = Path(str(resources.files("reports"))) / "templates" / "reference"


def store(settings: Settings, url: str, day: Day) -> dict[str, int]:
    """Write all of it; rows by table of what was written in blocks.

    Args:
        settings: of the home whose warehouse and audit log it goes to.
        url: where that warehouse answers.

    Raises:
        UnavailableError, WarehouseError: it does not answer, or refused.
    """
    where = sign_in(msgspec.structs.replace(settings.clickhouse, url=url), OWNER)
    settings = msgspec.structs.replace(settings, run=day.run, clickhouse=where)
    client = connect(where)
    own = installed(settings.home_path)
    try:
        with Writer(where) as writer:
            _begin(writer, settings, day)
            feeds = [decide(day, symbol, market.ticks_of(day, symbol)) for symbol in SYMBOLS]
            _market(writer, settings.home_path, day, feeds, own)
            written = _trading(writer, day, feeds)
            for table, columns in risk.blocks(day, feeds, written):
                writer.insert(table, columns)
            _desk(writer, client, day, written)
        _stress(client, settings.home_path, day)
        firm.score_orders(client, day)
        models.store(client, day)
        check_result.store(client, desk.checks(day))
        _statements(settings, day, written)
        desk.watch_for_abuse(client, settings.home_path, day)
        _people(client, where, settings.home_path, day)
        desk.count_for_retention(client, settings, day)
    finally:
        client.close()
    return {"ticks": sum(len(feed.ticks) for feed in feeds), "order events": len(written)}


def _begin(writer: Writer, settings: Settings, day: Day) -> None:
    """The run, its session, and the instruments."""
    kept = sessions.contents(settings, None)
    begun: Session = msgspec.structs.replace(
        sessions.described(settings, kept, 0),
        number=1,
        ts_start_us=day.start_us,
        model=CHAMPION,
        who="busy",
        host="busy",
    )
    writer.insert("content", content_columns(kept))
    writer.insert("session_part", message_columns(desk.parts(day)))
    writer.insert("session", message_columns([begun]))
    writer.insert(
        "run",
        run_columns(
            day.run, span_us=(day.start_us, day.end_us), status="running", inputs="{}",
            settings="{}", feature_set_hash=FEATURE_SET_HASH, model=CHAMPION,
        ),
    )  # fmt: skip
    writer.insert("instrument", instrument_columns(SOURCE, [known(s, day.end_us) for s in SYMBOLS]))


def _market(writer: Writer, home: Path, day: Day, feeds: Sequence[Quoted], own: OwnColumns) -> None:
    for feed in feeds:
        writer.insert("tick", tick_columns(SOURCE, feed.symbol, feed.ticks))
        for rows in decided_rows(day.run, feed.decided, None):
            writer.insert(rows.table, rows.columns)
        rows = own_feature_rows(widened(feed.decided.predicted.sampled, feed.ticks, own), "")
        writer.insert(rows.table, rows.columns)
    for columns in market.refused(day):
        writer.insert("tick_quarantine", columns)
    clock = ManualClock()
    clock.advance(day.end_us)
    corrections = Corrections(writer, home, clock, "busy", restates=True)
    with corrections.alone():
        corrections.commit(market.correction(day, feeds[0].ticks))


def _trading(writer: Writer, day: Day, feeds: Sequence[Quoted]) -> list[OrderEvent]:
    events = orders.events_of(day, feeds)
    states = account.positions(events)
    for table, messages in (
        ("order_event", events),
        ("position", states),
        ("account_state", account.account_states(day, events)),
        ("exposure_rate", account.exposures(events, states)),
        ("twin_comparison", account.twins(events)),
        ("firm_rule_state", firm.rule_states(day, events)),
    ):
        _insert(writer, table, messages)
    return events


def _desk(writer: Writer, client: Client, day: Day, events: Sequence[OrderEvent]) -> None:
    beats = desk.heartbeats(day)
    measured: list[Column] = latency_columns(beats)
    writer.insert("process_state", process_columns(beats))
    writer.insert("stage_latency", measured)
    _insert(writer, "risk_state", desk.risk_states(day))
    _insert(writer, "control_alert", desk.alerts(day, events))
    _insert(writer, "clock_sync", desk.clock_measurements(day))
    # Of the home, whatever the mode, and never replaced: once.
    if not client.command("SELECT count() FROM control_version"):
        _insert(writer, "control_version", desk.control_versions(day))
        _insert(writer, "calendar_event", firm.calendar(day))
        tell(client, desk.offsite_backup(day))


def _stress(client: Client, home: Path, day: Day) -> None:
    """Scenarios over what the day ends with, as each night brings them."""
    results = stress_now.stressed(
        client, day.run.run_id, day.end_us, available(home), RiskSettings(), 0.1, day.end_us
    ).results
    stress_now.store(client, results)


def _insert(writer: Writer, table: str, messages: Iterable[msgspec.Struct]) -> None:
    writer.insert(table, message_columns(list(messages)))


def _statements(settings: Settings, day: Day, events: Sequence[OrderEvent]) -> None:
    """The broker's statement, and the same again a while later with its last deal corrected."""
    first = account.statement(day, events)
    statement_changes.file(settings, first, "ann")
    last = first.deals[-1]
    corrected = msgspec.structs.replace(last, price=last.price * 1.0002)
    again = msgspec.structs.replace(first, deals=[*first.deals[:-1], corrected])
    statement_changes.file(settings, again, "ann")
    with closing(connect(settings.clickhouse)) as client:
        compared = datetime.fromtimestamp(day.end_us / 1e6, UTC).date()
        client_money.take(client, day.run.mode, compared, {}, day.end_us)


def _people(client: Client, where: ClickhouseSettings, home: Path, day: Day) -> None:
    for number, path in enumerate(sorted(_TEMPLATES.glob("*.csv")), 1):
        template = reference.read(path)
        if changed := reference_store.changes(client, template):
            reference_store.load(where, template, changed, number, day.start_us, "ann")
    for line in desk.orders_of_people(day):
        audit_log.append(home, line, day.run.run_id, day.run.mode)
    export(client, where, home)
