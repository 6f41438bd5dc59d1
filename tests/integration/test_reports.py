"""Reports of a made-up day: marts built once by dbt, then rendered, packaged, signed, restated.

The rows are checked against what the day is known to hold; the XML against ISO's own schema; the
PDF by looking at its words.
"""

import io
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pypdfium2
import pytest
from msgspec.structs import replace

from cli.main import main
from core import identity
from core.clock import ManualClock
from core.errors import InputError, SettingsError, UnavailableError
from core.sections import ReportSettings
from core.settings import Settings
from reports import build, catalog, iso20022, package, rts22, rts22_xml
from reports.package import Version
from reports.statement import BrokerStatement, Holding, StatementDeal, StatementFunds
from reports.statement import store as store_statement
from reports.tables import rows_of
from tests.support.compliance import DAY, TEMPLATES, dbt, import_reference, trading_day
from tests.support.orders import at, filled, journalled, store
from tests.support.small_disk import fill, small_disk
from tests.support.warehouse_server import Warehouse, migrated

__all__ = ["small_disk"]
pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="golden")]
THE_DAY, EMPTY, WRONG = date.fromisoformat(DAY), date(2026, 3, 7), date(2026, 3, 9)
LAPSED = date(2026, 3, 12)  # the day after the firm's LEI ran out
MARTS = "tickhouse_marts"


class Desk(NamedTuple):
    """A home with a warehouse in which the marts of three days are built."""

    home: Path
    warehouse: Warehouse
    settings: Settings

    def make(
        self, name: str, day: date = THE_DAY, base: Path | None = None, **reports: str
    ) -> tuple[Version, bool]:
        settings = replace(self.settings, reports=ReportSettings(**reports))
        place = package.folder_of(base or self.home / "reports", name, day, "live")
        clock = ManualClock(at(f"{day} 23:00"))
        built = ("an-invocation", self.home / "dbt" / "compiled")
        client = self.warehouse.client
        return build.build_report(
            settings=settings, client=client, report=catalog.named(name), day=day, mode="live",
            report_folder=place, built=built, clock=clock, by="ann",
        )  # fmt: skip


def statement(day: date) -> BrokerStatement:
    """What the broker says of the day: as we do, but for one price and one deal we do not know."""
    head = (day, at(f"{day} 23:00"), "live", "acc1")

    def deal(
        number: int, position: int, kind: str, time: str, *facts: float, symbol: str = "EUIX50"
    ):
        volume, price, commission, swap, profit = facts
        return StatementDeal(
            *head, deal=number, position=position, kind=kind, entry="in", symbol=symbol,
            ts_event_us=at(f"{day} {time}"), volume=volume, price=price, commission=commission,
            swap=swap, profit=profit,
        )  # fmt: skip

    return BrokerStatement(
        [
            deal(9000, 0, "balance", "00:00", 0, 0, 0, 0, 100_000.0, symbol=""),
            deal(1, 1, "buy", "10:00", 1.0, 5000.25, -1.0, 0, 0),
            deal(201, 20, "sell", "10:00", 1.0, 5000.5, -1.0, 0, 0),
            deal(202, 20, "sell", "10:00", 1.5, 5000.01, -1.5, 0, 0),
            deal(5, 5, "buy", "10:00", 0.1, 1.17123, -1.0, 0, 0, symbol="EURUSD"),
            deal(301, 1, "sell", "10:01", 1.0, 4990.0, -1.0, 0, -10.25),
            deal(999, 99, "buy", "11:00", 1.0, 5001.0, -1.0, 0, 0),
        ],
        [Holding(*head, 20, "EUIX50", -2.5, 5000.2), Holding(*head, 5, "EURUSD", 0.1, 1.17123)],
        StatementFunds(*head, at(f"{day} 23:00"), "USD", 100_000 - 16.75, 100_000 - 16.75),
    )


def lapsing(home: Path) -> Path:
    """The firm's line from a day on, with an LEI that ends the day after."""
    path = home / "lapsing" / "parties.csv"
    path.parent.mkdir()
    header, firm, *_ = (TEMPLATES / "parties.csv").read_text().splitlines()
    changed = firm.replace("2010-01-01", "2026-03-10").replace("2030-12-31", "2026-03-11")
    path.write_text(f"{header}\n{changed}\n")
    return path


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("desk")
    server = migrated(home)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TICKHOUSE_HOME", str(home))
            server.reached(patch)
            import_reference(sorted(TEMPLATES.glob("*.csv")))
            import_reference([lapsing(home)], "nobody renewed it")
        wrong = filled(9, at(f"{WRONG} 12:00"), source="oanda", symbol="NOPE")
        late = filled(11, at(f"{LAPSED} 12:00"), source="oanda")
        events = journalled(
            home / "execution" / "acc1" / "journal", [*trading_day(), *wrong, *late]
        )
        store(server.settings, events)
        store_statement(server.settings, statement(THE_DAY))
        # Unit tests run with all marts in test_marts.py.
        dbt(
            server.settings_of("dbt"),
            home,
            "build",
            "--select",
            "+tag:compliance",
            "+fct_broker_twin",
            "+fct_risk_daily",
            "+fct_var_backtest",
            "+fct_stress",
            "--exclude-resource-type",
            "unit_test",
        )
        yield Desk(home, server, Settings(home=str(home), clickhouse=server.settings))
    finally:
        server.stop()


def rows(version: Version, file: str) -> list[dict[str, str]]:
    return list(rows_of(version.folder / file))


def words_of(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def test_reportable_trades_are_submitted_and_the_others_excluded_with_a_reason(desk: Desk) -> None:
    version, new = desk.make("rts22")
    assert new
    trades = rows(version, rts22.TRANSACTIONS)
    assert [(t["symbol"], t["reportable"], t["f30_quantity"], t["f33_price"]) for t in trades] == [
        ("EUIX50", "yes", "1", "5000.25"),
        ("EUIX50", "yes", "1", "5000.5"),
        ("EUIX50", "yes", "1.5", "5000"),
        ("EURUSD", "no", "10000", "1.17123"),
        ("EUIX50", "yes", "1", "4990"),
    ]
    assert trades[3]["reportable_reason"].startswith("spot FX is not")
    firm, broker = "TICKHOUSEDEMOFIRM093", "TICKHOUSEDEMOBROK069"
    assert [(t["f07_buyer_id"], t["f16_seller_id"]) for t in trades[:2]] == [
        (firm, broker), (broker, firm),
    ]  # fmt: skip
    assert trades[0]["f28_trading_time"] == "2026-03-02T10:00:00.002000Z"
    sent = rows(version, rts22.SUBMISSION)
    assert len(sent) == len({r["f02_transaction_reference"] for r in sent}) == 4
    assert {r["f01_report_status"] for r in sent} == {"NEWT"}
    assert version.manifest.breaks == {"warning": 4}  # no signal of this desk is stored
    assert all(version.manifest.query_sha256.values())
    assert version.manifest.dbt_invocation == "an-invocation"
    assert package.changed_files(version) == []


def test_the_report_is_the_golden_one(desk: Desk) -> None:
    version, _ = desk.make("rts22")
    golden = Path(__file__).parents[1] / "golden" / "rts22_submission.csv"
    assert (version.folder / rts22.SUBMISSION).read_text() == golden.read_text()
    records, _ = desk.make("order-records")
    life = [
        (r["journal_seq"], r["event_code"], r["own_event"])
        for r in rows(records, "order_records.csv")
    ]
    assert [code for _, code, _ in life] == [
        *("", "NEWO", "FILL"), *("", "NEWO", "", "PARF", "PARF", "CAMO"), *("", "NEWO", "REMO"),
        *("", ""), *("", "NEWO", "FILL"), "TRIG",
    ]  # fmt: skip
    # No signal of this desk is stored, and every event says so: `no_lineage`.
    assert records.manifest.breaks == {"warning": len(life)}


def test_the_xml_is_valid_for_the_base_schema_and_no_other(
    desk: Desk, reference_data: Path
) -> None:
    version, _ = desk.make("rts22")
    schemas = reference_data / "schemas" / "iso20022"
    assert iso20022.validate(version.folder / rts22.XML, schemas / "auth.016.001.03.xsd") == []
    with pytest.raises(InputError, match="install the matching package"):
        iso20022.validate(version.folder / rts22.XML, schemas / "auth.030.001.04.xsd")


def test_the_xml_is_of_the_version_of_the_dropped_in_package(
    desk: Desk, reference_data: Path, tmp_path: Path
) -> None:
    base = (reference_data / "schemas" / "iso20022" / "auth.016.001.03.xsd").read_text()
    package_folder = tmp_path / "package"
    package_folder.mkdir()
    schema = package_folder / "auth.016.001.01_ESMAUG_1.1.0.xsd"
    schema.write_text(base.replace("auth.016.001.03", "auth.016.001.01"))
    version, _ = desk.make("rts22", base=tmp_path, schemas=str(package_folder))
    xml = version.folder / "submission.auth.016.001.01.xml"
    assert iso20022.validate(xml, schema) == []
    assert "auth.016.001.01, valid for the installed package" in words_of(
        version.folder / "rts22.pdf"
    )


def test_a_package_that_wants_other_elements_refuses_the_report(
    desk: Desk, reference_data: Path, tmp_path: Path
) -> None:
    base = (reference_data / "schemas" / "iso20022" / "auth.016.001.03.xsd").read_text()
    package_folder = tmp_path / "package"
    package_folder.mkdir()
    stricter = base.replace("auth.016.001.03", "auth.016.001.01").replace("TradgCpcty", "Cpcty")
    (package_folder / "auth.016.001.01.xsd").write_text(stricter)
    with pytest.raises(InputError, match=r"refuses the XML: .*TradgCpcty"):
        desk.make("rts22", base=tmp_path, schemas=str(package_folder))
    assert list((tmp_path / DAY / "rts22").glob("v*")) == []


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "holds none"),
        ({"auth.016.001.01.xsd": "", "auth.016.001.03.xsd": ""}, "with one auth.016"),
        ({"auth.016.001.01.xsd": "<x/>"}, "is for nothing, not for an auth.016.001"),
        ({"auth.016.001.01.xsd": "no xml"}, "no schema"),
    ],
)
def test_a_folder_without_one_package_is_named(
    tmp_path: Path, files: dict[str, str], problem: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=problem):
        iso20022.package_in(tmp_path, rts22_xml.MESSAGE)


@pytest.mark.parametrize("name", catalog.REPORTS)
def test_every_report_says_draft_and_an_empty_day_is_issued_and_says_so(
    desk: Desk, name: str
) -> None:
    full, _ = desk.make(name)
    words = words_of(full.folder / f"{name}.pdf")
    assert "DRAFT LAYOUT" in words
    assert "page 1 of" in words
    empty, _ = desk.make(name, EMPTY)
    # An open position is valued on a day without trades, too.
    looks_back = name in ("self-assessment", "execution-quality-quarter", "emir")
    assert empty.manifest.empty != looks_back
    assert "DRAFT LAYOUT" in words_of(empty.folder / f"{name}.pdf")
    assert full.manifest.draft


def test_equal_data_make_equal_bytes_and_no_new_version(desk: Desk, tmp_path: Path) -> None:
    first, _ = desk.make("rts22", base=tmp_path / "a")
    second, _ = desk.make("rts22", base=tmp_path / "b")
    assert first.manifest.files == second.manifest.files
    again, new = desk.make("rts22", base=tmp_path / "a")
    assert (again.folder, new) == (first.folder, False)


def test_a_trade_in_an_unknown_symbol_is_undecided_and_bars_the_release(desk: Desk) -> None:
    version, _ = desk.make("rts22", WRONG)
    [broken] = rows(version, "breaks.csv")
    assert (broken["rule_id"], broken["value"], broken["severity"]) == (
        "reference_instrument", "oanda NOPE", "error",
    )  # fmt: skip
    clock = ManualClock(1)
    build.sign(desk.settings, version, "ann", True, clock)
    with pytest.raises(SettingsError, match="1 breaks of severity error"):
        build.release(desk.settings, version, "bob", True, "", clock)


def test_an_lei_that_ran_out_is_named_and_bars_the_release(desk: Desk) -> None:
    version, _ = desk.make("rts22", LAPSED)
    broken = {(r["field"], r["rule_id"], r["value"]) for r in rows(version, "breaks.csv")}
    assert broken == {
        ("04", "executing_lei_renewed", "2026-03-11"), ("07", "client_lei_renewed", "2026-03-11"),
        ("", "no_lineage", "s11"),
    }  # fmt: skip
    clock = ManualClock(1)
    build.sign(desk.settings, version, "ann", True, clock)
    with pytest.raises(SettingsError, match="2 breaks of severity error"):
        build.release(desk.settings, version, "bob", True, "", clock)
    assert version.sign_off("release") is None


def test_maker_and_checker_are_two_people_with_passwords(desk: Desk, tmp_path: Path) -> None:
    version, _ = desk.make("rts22", base=tmp_path)
    clock = ManualClock(1)
    with pytest.raises(SettingsError, match="two people with passwords"):
        build.sign(desk.settings, version, "ann", False, clock)
    with pytest.raises(SettingsError, match="has no maker"):
        build.release(desk.settings, version, "bob", True, "", clock)
    build.sign(desk.settings, version, "ann", True, clock)
    with pytest.raises(SettingsError, match="a second person releases"):
        build.release(desk.settings, version, "ann", True, "", clock)
    file = version.folder / rts22.SUBMISSION
    content = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(content.replace(b"5000.25", b"5000.26"))
    with pytest.raises(SettingsError, match=r"changed since it was made: submission.csv"):
        build.release(desk.settings, version, "bob", True, "", clock)
    file.write_bytes(content)
    build.release(desk.settings, version, "bob", True, "looked at", clock)
    with pytest.raises(SettingsError, match="exists"):
        build.release(desk.settings, version, "eve", True, "", clock)


def test_a_restated_version_cancels_what_was_released_and_sends_it_anew(
    desk: Desk, tmp_path: Path
) -> None:
    first, _ = desk.make("rts22", base=tmp_path)
    clock = ManualClock(1)
    build.sign(desk.settings, first, "ann", True, clock)
    build.release(desk.settings, first, "bob", True, "", clock)
    mart = f"{MARTS}.rpt_rts22_transaction"
    client = desk.warehouse.client
    change = "ALTER TABLE {} UPDATE f33_price = '{}' WHERE venue_deal = 1"
    client.command(change.format(mart, "5000.5"), settings={"mutations_sync": 2})
    try:
        second, new = desk.make("rts22", base=tmp_path)
    finally:
        client.command(change.format(mart, "5000.25"), settings={"mutations_sync": 2})
    assert new
    assert (second.manifest.version, second.manifest.restates) == (2, 1)
    assert second.manifest.previous == first.sha256
    sent = rows(second, rts22.SUBMISSION)
    assert [(r["f01_report_status"], r["f33_price"]) for r in sent] == [
        ("CANC", "5000.25"), ("NEWT", "5000.5"),
    ]  # fmt: skip
    words = " ".join(words_of(second.folder / "rts22.pdf").split())
    assert "Restated: version 2 replaces version 1: 0 rows came, 0 went, 1 values of 1" in words
    (changed,) = rows(second, "restated.csv")
    assert (changed["column"], changed["before"], changed["after"]) == (
        "f33_price", "5000.25", "5000.5",
    )  # fmt: skip
    assert "restated.csv" in second.manifest.files
    assert b"<Cxl>" in (second.folder / rts22.XML).read_bytes()


def test_the_broker_statement_is_compared_deal_by_deal(desk: Desk) -> None:
    version, _ = desk.make("broker-reconciliation")
    statuses = {
        (r["item"], r["item_key"]): r["status"] for r in rows(version, "reconciliation.csv")
    }
    assert statuses == {
        ("deal", "1"): "matched",
        ("deal", "201"): "matched",
        ("deal", "202"): "price differs",
        ("deal", "301"): "matched",
        ("deal", "5"): "matched",
        ("deal", "999"): "missing here",
        ("position", "20"): "matched",
        ("position", "5"): "matched",
        ("money", "balance change"): "amount differs",
        ("money", "commission"): "amount differs",
        ("money", "profit"): "matched",
        ("money", "swap"): "matched",
    }
    assert version.manifest.breaks["error"] == 4
    unasked, _ = desk.make("broker-reconciliation", WRONG)
    [row] = rows(unasked, "reconciliation.csv")
    assert row["status"] == "no statement of the broker"


def test_blocked_orders_and_changes_of_controls_are_evidence(desk: Desk) -> None:
    version, _ = desk.make("controls")
    [blocked] = rows(version, "blocked_orders.csv")
    assert (blocked["control"], blocked["limit_value"], blocked["observed"]) == (
        "oversized",
        "1",
        "5",
    )
    assert blocked["limits_version"] == "limits-7"
    assert {r["strategy"] for r in rows(version, "strategies.csv")} == {"model", "scripted"}


@pytest.mark.parametrize("room", [0, 16_384, 32_768])
def test_a_full_disk_leaves_nothing_of_the_version(desk: Desk, small_disk: Path, room: int) -> None:
    filler = fill(small_disk, 0)
    os.truncate(filler, filler.stat().st_size - room)
    for name in ("rts22", "order-records", "execution-quality"):
        with pytest.raises(UnavailableError, match="make room and repeat"):
            desk.make(name, base=small_disk)
    assert list(small_disk.rglob("v*")) == []
    filler.unlink()
    version, _ = desk.make("rts22", base=small_disk)
    assert package.changed_files(version) == []


def test_release_by_command_needs_passwords_of_two_users(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.make("rts22", base=tmp_path)
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))
    people = {
        name: identity.new_user(name, "analyst", f"{name} long enough", {}, 0, 0)
        for name in ("ann", "bob")
    }
    identity.save(identity.path_in(tmp_path / "home"), people)

    def types(name: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{name} long enough\n"))

    line = ["--date", DAY, "--out", str(tmp_path)]
    types("eve")
    assert main(["report", "sign", "rts22", *line, "--by", "ann"]) == 2
    types("ann")
    assert main(["report", "sign", "rts22", *line, "--by", "ann"]) == 0
    types("ann")
    assert main(["report", "release", "rts22", *line, "--by", "ann"]) == 2
    types("bob")
    assert main(["report", "release", "rts22", *line, "--by", "bob", "--reason", "good"]) == 0
    assert main(["report", "list", "--out", str(tmp_path)]) == 0
    assert "rts22 v1: released by bob" in capsys.readouterr().out
