"""Plays the quarter through the product: journal, warehouse, marts, packages, corrections."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from audit.export import export
from audit.retention import census, holds, policies
from audit.retention.holds import Hold
from core.clock import ManualClock
from core.contracts.order import EventKind
from core.contracts.signal import Signal
from core.settings import Settings
from orchestration.restatement import reports as restated
from orchestration.restatement import rows as restatements
from orchestration.restatement.work import Desk
from reports import build, catalog, client_money, emir_answers, package, statement_changes
from reports.package import Version
from reports.statement import BrokerStatement, StatementDeal, StatementFunds
from surveillance.abuse import scan
from surveillance.incidents import register
from surveillance.incidents.classes import Impact
from surveillance.incidents.register import Person
from tests.quarter import people
from tests.quarter.script import ACCOUNT, INDEX, OPENING, PAIR, SOURCE, Day, played, ticks
from tests.support import abuse_days
from tests.support.compliance import TEMPLATES, dbt, import_reference
from tests.support.corrections import correct, store_ticks
from tests.support.orders import at, journalled, store
from tests.support.warehouse_server import Warehouse, migrated
from tests.unit.reports.test_emir_answers import advice, record

#: Days by number: what goes wrong on them.
MONEY_OFF, TICK_LATE, DEAL_CHANGED, DEAL_BUSTED, REJECTED = 4, 1, 2, 3, 0
ABUSED = {1: "layering", 3: "wash_trade"}
GONE = "never sent"  # a record that the answer names and nobody sent
DAILY = [name for name, report in catalog.REPORTS.items() if report.every == "day"]


class Quarter(NamedTuple):
    """The home after the quarter."""

    settings: Settings
    server: Warehouse
    days: list[Day]
    problems: list[str]  # of the restatement
    held: tuple[str, ...]  # what holds order events
    left: list[str]  # files in which the name of who was forgotten stands
    lacks: bool  # a client's file that is not in order is told

    def versions(self, name: str, day: date) -> list[Version]:
        """Of a report, the first first."""
        base = build.base_of(self.settings)
        return package.versions(package.folder_of(base, name, day, "live"))

    def restatements(self) -> dict[str, str]:
        """Status by subject, of those that changed something."""
        listed = restatements.listed(self.server.client)
        changed = [row for row in listed if row.what == "report" and row.rows]
        return {row.subject: row.status for row in changed if row.subject != "*"}  # its account


@contextmanager
def quarter(home: Path, weeks: int) -> Iterator[Quarter]:
    """Play it; the warehouse answers until the end of the block."""
    server = migrated(home)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TICKHOUSE_HOME", str(home))
            server.reached(patch)
            import_reference(sorted(TEMPLATES.glob("*.csv")))
            settings = Settings(home=str(home), clickhouse=server.settings_of("commands"))
            days = played(weeks)
            _traded(server, home, days)
            _stated(settings, days)
            _watched(server, settings, days)
            _reported(server, settings, days)
            problems = _corrected(server, settings, days)
            _answered(settings, days)
            held = _held(server, settings, days)
            left = people.forgotten(server, settings, patch)
            lacks = people.lacking(patch)
            yield Quarter(settings, server, days, problems, held, left, lacks)
    finally:
        server.stop()


def _traded(server: Warehouse, home: Path, days: list[Day]) -> None:
    events = [event for day in days for event in day.events]
    store(server.settings, journalled(home / "execution" / ACCOUNT / "journal", events))
    for day in days:
        for symbol in (INDEX, PAIR):
            store_ticks(server.settings, ticks(day.number, day.day, symbol), SOURCE, symbol)
    with Writer(server.settings) as writer:
        writer.insert("signal", message_columns(list(_signals(days))))
    for number, name in ABUSED.items():
        flow = abuse_days.Flow(days[number].day)
        abuse_days.PLANTED[name](flow)
        store(server.settings, flow.numbered())


def _signals(days: list[Day]) -> Iterator[Signal]:
    """What each order was decided by: the tick of its second."""
    for day in days:
        for event in day.events:
            if event.kind == EventKind.RECEIVED:
                second = event.ts_event_us // 1_000_000 * 1000
                yield Signal(
                    signal_id=event.signal_id, run_id="live", mode="live", account=ACCOUNT,
                    strategy=event.strategy, source=SOURCE, symbol=event.symbol,
                    ts_event_us=event.ts_event_us, ts_init_us=event.ts_event_us, time_msc=second,
                    seq=0, target=1.0, reference_price=event.price, stop_price=0.0,
                    horizon_us=event.ts_event_us, expires_us=event.ts_event_us, confidence=0.6,
                    model="model", prediction_id="",
                )  # fmt: skip


def balance(days: list[Day], until: int) -> float:
    """What the broker has of our money at the end of a day: the opening, profit, commission."""
    return OPENING + sum(f.profit - 1.0 for day in days[: until + 1] for f in day.fills)


def statement(days: list[Day], number: int, taken: date, **changed: object) -> BrokerStatement:
    """A day's deals as the broker tells them; `changed`: kind, volume or price by `KEY_DEAL`."""
    day, head = days[number], (taken, at(f"{taken} 23:30"), "live", ACCOUNT)
    deals = [
        StatementDeal(
            *head,
            deal=fill.deal,
            position=fill.deal // 100 * 100,
            kind=str(changed.get(f"kind_{fill.deal}", kind)),
            entry="in",
            symbol=fill.symbol,
            ts_event_us=fill.us,
            volume=fill.lots,
            price=changed.get(f"price_{fill.deal}", fill.price),
            commission=-1.0,
            swap=0.0,
            profit=fill.profit,
        )
        for fill in day.fills
        for kind in ["buy" if fill.way > 0 else "sell"]
    ]
    money = balance(days, number) - (25.0 if number == MONEY_OFF else 0.0)
    return BrokerStatement(deals, [], StatementFunds(*head, head[1], "USD", money, money))


def _stated(settings: Settings, days: list[Day]) -> None:
    for day in days:
        statement_changes.file(settings, statement(days, day.number, day.day), "ann")


def _watched(server: Warehouse, settings: Settings, days: list[Day]) -> None:
    home = settings.home_path
    for day in days:
        now = at(f"{day.day} 23:50")
        scan.scan(server.client, home, "live", day.day, now)
        client_money.take(server.client, "live", day.day, {}, now)
    began = datetime.fromisoformat(f"{days[0].day} 09:00+00:00")
    clock = ManualClock(at(f"{days[0].day} 09:00"))
    ann = Person(home, "ann", True, clock)
    first = register.opened(ann, "live", ACCOUNT, "the gateway was down", began)
    export(server.client, server.settings, home)
    clock.advance(at(f"{days[0].day} 10:00"))
    known = register.incident_of(server.client, "live", first)
    register.classified(ann, known, Impact(), "nothing was lost")
    export(server.client, server.settings, home)
    known = register.incident_of(server.client, "live", first)
    register.ended(ann, known, datetime.fromisoformat(f"{days[0].day} 09:40+00:00"))
    export(server.client, server.settings, home)
    register.closed(ann, register.incident_of(server.client, "live", first), "a switch, replaced")
    export(server.client, server.settings, home)


def _reported(server: Warehouse, settings: Settings, days: list[Day]) -> None:
    """Every daily report of every day, filed where it is without an error."""
    marts = sorted({f"+{mart}" for name in DAILY for mart in catalog.named(name).marts})
    dbt(server.settings_of("dbt"), settings.home_path, "build", "--select", *marts,
        "--exclude-resource-type", "unit_test")  # fmt: skip
    compiled = ("the quarter", settings.home_path / "dbt" / "compiled")
    for day in days:
        clock = ManualClock(at(f"{day.day} 23:55"))
        for name in DAILY:
            report = catalog.named(name)
            place = package.folder_of(build.base_of(settings), name, day.day, "live")
            version, _ = build.build_report(
                settings=settings, client=server.client, report=report, day=day.day, mode="live",
                report_folder=place, built=compiled, clock=clock, by="ann",
            )  # fmt: skip
            if not version.manifest.breaks.get("error", 0):
                later = ManualClock(at(f"{day.day} 10:00") + 86_400_000_000)
                build.sign(settings, version, "ann", True, later)
                build.release(settings, version, "bob", True, "as it is", later)
                if report.goes_to:
                    build.file(settings, report, version, "bob", True, f"R-{day.number}", later)


def _corrected(server: Warehouse, settings: Settings, days: list[Day]) -> list[str]:
    """After filing: a tick's price, a deal's price, a deal that never was."""
    when = days[-1].day + timedelta(days=3)
    late = days[TICK_LATE]
    correct(server.client, at(f"{late.day} 10:00:10") // 1000, 4_990.0, 4_990.5,
            f"{when} 09:00", what=["report"], symbol=INDEX)  # fmt: skip
    first, second = (days[number].fills[0].deal for number in (DEAL_CHANGED, DEAL_BUSTED))
    price = days[DEAL_CHANGED].fills[0].price + 0.75
    for later, number, changes in (
        (0, DEAL_CHANGED, {f"price_{first}": price}),
        (1, DEAL_BUSTED, {f"kind_{second}": "balance"}),
    ):
        taken = when + timedelta(days=later)  # one of the same day would take back what it lacks
        statement_changes.file(settings, statement(days, number, taken, **changes), "bob")
    desk = Desk(settings, server.client, ManualClock(at(f"{when} 23:59")), "ann")
    return restated.restate(desk).problems


def _answered(settings: Settings, days: list[Day]) -> None:
    """The repository rejects one record, takes the others, and names one that nobody sent."""
    day = days[REJECTED].day
    version = package.newest(build.base_of(settings), "emir", day, "live")
    keys = [row["record_id"] for row in build_rows(version, "submission.csv")]
    records = [record(keys[0], "RJCT", "EMIR-VR-2001-01", "UTI not known")]
    records += [record(key, "ACPT") for key in keys[1:]]
    path = settings.home_path.parent / "answer.xml"
    path.write_text(advice(*records, record(GONE, "ACPT")))
    emir_answers.keep(settings, path, day)
    emir_answers.make(settings, day, "live", ManualClock(at(f"{day} 23:59")), "ann")


def build_rows(version: Version, file: str) -> list[dict[str, str]]:
    """Rows of a table of a version."""
    from reports.tables import rows_of

    return list(rows_of(version.folder / file))


def _held(server: Warehouse, settings: Settings, days: list[Day]) -> tuple[str, ...]:
    """Order events are held; by what, as the census of a day says."""
    when = days[-1].day + timedelta(days=4)
    known = policies.load(settings.home_path)
    subjects = holds.subjects_of(known, ["order_event"])
    hold = Hold("case-7", ("order_event",), None, None, "ann", "a claim", at(f"{when} 09:00"))
    holds.place(settings, hold, known, subjects, known=True)
    export(server.client, server.settings, settings.home_path)
    taken = census.take(server.client, settings, when, ManualClock(at(f"{when} 10:00")))
    census.store(server.client, taken, at(f"{when} 10:00"))
    return next(one.holds for one in taken.counted if one.subject == "order_event")
