"""EMIR of a made-up week: a position of components, a trade of its own, valuations, corrections.

`acc1` reports at position level, `acc2` at trade level; what each contract is worth follows from
two quotes. Rows are compared with what was reckoned by hand.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pypdfium2
import pytest
from lxml import etree

from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from core.clock import ManualClock
from core.contracts.order import EventKind, OrderEvent
from core.contracts.tick import TICK
from core.settings import Settings
from reports import build, catalog, emir, iso20022, package
from reports.package import SignOff, Version
from reports.tables import rows_of
from tests.support.compliance import TEMPLATES, dbt, import_reference
from tests.support.orders import at, event, filled, journalled, store
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="golden")]
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 3, day) for day in range(2, 7))
FIRM, BROKER = "TICKHOUSEDEMOFIRM093", "TICKHOUSEDEMOBROK069"
SHOP = "TICKHOUSEDEMOSUBM082"
MARTS = ("+rpt_emir_report", "+rpt_emir_margin", "+rpt_emir_break", "+rpt_emir_field")
TRADE_LEVEL = "acc2,oanda,2026-01-01,EU,trade,,,broker,,UNCL,ISDA,,2002,YCNF,no,"
OWN_UTI = f"acc2,oanda,51,2026-03-02,{BROKER}ABC51"


class Desk(NamedTuple):
    """A home with a warehouse in which the EMIR marts of the days are built."""

    home: Path
    warehouse: Warehouse

    def make(self, day: date) -> tuple[Version, bool]:
        place = package.folder_of(self.home / "reports", "emir", day, "live")
        settings = Settings(home=str(self.home), clickhouse=self.warehouse.settings)
        clock = ManualClock(at(f"{day} 23:00"))
        built = ("an-invocation", self.home / "dbt" / "compiled")
        return build.build_report(
            settings=settings, client=self.warehouse.client, report=catalog.named("emir"), day=day,
            mode="live", report_folder=place, built=built, clock=clock, by="ann",
        )  # fmt: skip

    def build(self, *models: str, day: str = "") -> None:
        dbt(
            self.warehouse.settings_of("dbt"), self.home, "build", "--select", *models,
            "--exclude-resource-type", "unit_test", day=day,
        )  # fmt: skip

    def load(self, name: str, *lines: str) -> None:
        """Reference data below the template's header."""
        path = self.home / "own" / name
        path.parent.mkdir(exist_ok=True)
        header = (TEMPLATES / name).read_text().splitlines()[0]
        path.write_text("\n".join((header, *lines)) + "\n")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TICKHOUSE_HOME", str(self.home))
            self.warehouse.reached(patch)
            import_reference([path], "as the test wants it")


def fill(order: int, time: str, side: str, volume: float, price: float, **more: object):
    """A market order of EUIX50 and its fill, on a ticket of its own unless told."""
    own = {"source": "oanda", "side": side, "volume": volume, "price": price}
    return filled(order, at(time), **(own | more))


def position_level() -> list[OrderEvent]:
    """Bought 2 at 100, 1 at 106, sold 1; a day later sold 4: it turns around; bought 2 again."""
    return [
        *fill(1, f"{MONDAY} 10:00", "buy", 2.0, 100.0),
        *fill(2, f"{MONDAY} 10:01", "buy", 1.0, 106.0),
        *fill(3, f"{MONDAY} 10:02", "sell", 1.0, 110.0),
        *fill(4, f"{TUESDAY} 10:00", "sell", 4.0, 120.0),
        *fill(5, f"{TUESDAY} 11:00", "buy", 2.0, 119.0),
        *fill(6, f"{TUESDAY} 12:00", "buy", 1.0, 121.0),
        *fill(7, f"{TUESDAY} 12:30", "buy", 0.1, 1.17, symbol="EURUSD"),
    ]


def trade_level() -> list[OrderEvent]:
    """One ticket in two fills, closed in two; only its first fill's day has it open at the end."""
    ticket = {"account": "acc2", "venue_position": 51}
    part = event(
        52, EventKind.PARTIALLY_FILLED, at(f"{MONDAY} 10:00:01"), source="oanda", venue_deal=52,
        venue_order=51, volume=3.0, price=104.0, **ticket,
    )  # fmt: skip
    return [
        *fill(51, f"{MONDAY} 10:00", "buy", 1.0, 100.0, **ticket),
        part,
        *fill(53, f"{TUESDAY} 10:00", "sell", 1.0, 99.0, **ticket),
        *fill(54, f"{TUESDAY} 11:00", "sell", 3.0, 98.0, **ticket),
    ]


def wrong(desk: Desk) -> list[OrderEvent]:
    """From Wednesday on acc1 is the United Kingdom's, and most of what is said of it is wrong."""
    for name, line in (
        (
            "emir_accounts.csv",
            "acc1,oanda,2026-03-04,UK,position,,venue,,,UNCL,ISDA,,,NCNF,no,shop",
        ),
        ("emir_instruments.csv", "oanda,EUIX50,2026-03-04,,OTHR,EQUI,no,X,EUX,UKWN,,,"),
        ("parties.csv", f"broker,2026-03-04,Fictitious Broker Ltd,{BROKER},2026-03-03,IE"),
        (
            "instruments.csv",
            "oanda,NEWONE,2026-03-05,Later,,JEIXCC,XXXX,EUR,MONE,UNIT,1,EUR,,1,,,,,,,,,,CASH,no,no,"
            "not decided,yes,derivative",
        ),
    ):
        desk.load(name, line)
    return [
        *fill(8, f"{WEDNESDAY} 10:00", "buy", 1.0, 120.0),
        *fill(9, f"{WEDNESDAY} 10:01", "buy", 1.0, 5.0, symbol="NEWONE"),
    ]


def shop(desk: Desk) -> list[OrderEvent]:
    """acc3 is a shop's: below the threshold, from Friday on above it, and the broker is none."""
    desk.load("parties.csv", f"shop,2010-01-01,Fictitious Shop AG,{SHOP},2030-12-31,DE")
    desk.load("accounts.csv", "acc3,oanda,2010-01-01,shop,shop,broker,submitter,no,DEAL,,no")
    desk.load("emir_accounts.csv", "acc3,oanda,2010-01-01,EU,trade,,,,P3,OWC1,ISDA,,,NCNF,no,")
    desk.load(
        "emir_parties.csv", "shop,2010-01-01,N,G,no,yes", f"shop,{FRIDAY},N,G,yes,yes",
        f"broker,{FRIDAY},N,K,no,no",
    )  # fmt: skip
    return [
        *fill(61, f"{THURSDAY} 10:00", "buy", 1.0, 100.0, account="acc3"),
        *fill(62, f"{FRIDAY} 10:00", "buy", 1.0, 100.0, account="acc3"),
    ]


def quote(where: Warehouse, time: str, bid: float, ask: float) -> None:
    ticks = np.zeros(1, TICK)
    ticks["time_msc"], ticks["bid"], ticks["ask"] = at(time) // 1000, bid, ask
    with Writer(where.settings) as writer:
        writer.insert("tick", tick_columns("oanda", "EUIX50", ticks))


def state(where: Warehouse, time: str, margin: float, seq: int) -> None:
    """What the broker says of acc1: margin in use."""
    where.client.command(
        "INSERT INTO account_state (run_id, mode, account, ts_event, seq, currency, margin) VALUES"
        f" ('live', 'live', 'acc1', '{time}', {seq}, 'USD', {margin})"
    )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("emir")
    server = migrated(home)
    try:
        desk = Desk(home, server)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TICKHOUSE_HOME", str(home))
            server.reached(patch)
            import_reference(sorted(TEMPLATES.glob("*.csv")))
        desk.load("emir_accounts.csv", TRADE_LEVEL)
        desk.load("utis.csv", OWN_UTI)
        journals = home / "execution"
        for account, events in (
            ("acc1", [*position_level(), *wrong(desk)]),
            ("acc2", trade_level()),
            ("acc3", shop(desk)),
        ):
            store(server.settings, journalled(journals / account / "journal", events))
        quote(server, f"{MONDAY} 20:00", 109.0, 111.0)
        state(server, f"{MONDAY} 10:00:00", 400.0, 1)
        state(server, f"{MONDAY} 23:59:59", 5044.86, 2)
        desk.build(*MARTS)
        yield desk
    finally:
        server.stop()


def reported(version: Version, account: str) -> list[tuple[str, ...]]:
    """Action, event, level, side, quantity, price, value, notional: in the order of the file."""
    return [
        (r["t2_151_action_type"], r["t2_152_event_type"], r["t2_154_level"], r["t1_17_direction"],
         r["t2_060_quantity_1"], r["t2_048_price"], r["t2_021_valuation_amount"],
         r["t2_055_notional_1"])
        for r in rows_of(version.folder / emir.REPORTS)
        if r["account"] == account
    ]  # fmt: skip


def rules(version: Version) -> set[tuple[str, str]]:
    return {(r["rule_id"], r["field"]) for r in rows_of(version.folder / "breaks.csv")}


def test_a_position_is_new_modified_and_valued_and_its_trades_are_components(desk: Desk) -> None:
    version, _ = desk.make(MONDAY)
    assert sorted(reported(version, "acc1")) == [
        ("NEWT", "INCP", "PSTN", "BYER", "2", "102", "", "204"),
        ("POSC", "TRAD", "TCTN", "BYER", "1", "106", "", "106"),
        ("POSC", "TRAD", "TCTN", "BYER", "2", "100", "", "200"),
        ("POSC", "TRAD", "TCTN", "SLLR", "1", "110", "", "110"),
        ("VALU", "", "PSTN", "BYER", "", "", "16", ""),  # 2 x (110 - 102)
    ]
    rows = [r for r in rows_of(version.folder / emir.REPORTS) if r["account"] == "acc1"]
    position = {r["t2_001_uti"] for r in rows if r["t2_154_level"] == "PSTN"}
    components = {r["t2_001_uti"] for r in rows if r["t2_151_action_type"] == "POSC"}
    assert len(position) == 1
    assert len(components) == 3
    assert not position & components
    assert {r["t2_004_subsequent_position_uti"] for r in rows} == {*position, ""}
    assert all(uti[:22] == f"{FIRM}TH" and len(uti) == 52 for uti in position | components)


def test_a_position_that_turns_around_is_modified_and_one_of_a_day_is_opened_and_ended(
    desk: Desk,
) -> None:
    version, _ = desk.make(TUESDAY)
    assert sorted(reported(version, "acc1")) == [
        ("", "", "TCTN", "BYER", "10000", "1.17", "", "11700"),
        ("NEWT", "INCP", "PSTN", "BYER", "1", "121", "", "121"),
        ("POSC", "TRAD", "TCTN", "BYER", "1", "121", "", "121"),
        ("POSC", "TRAD", "TCTN", "BYER", "2", "119", "", "238"),
        ("POSC", "TRAD", "TCTN", "SLLR", "4", "120", "", "480"),
        ("TERM", "ETRM", "PSTN", "BYER", "2", "102", "", "204"),
        ("VALU", "", "PSTN", "BYER", "", "", "-11", ""),  # 1 x (110 - 121), the last quote
    ]
    excluded = [r for r in rows_of(version.folder / emir.REPORTS) if r["reportable"] == "no"]
    assert [r["reportable_reason"] for r in excluded] == ["spot, not a derivative"]
    assert ("valuation_fresh", "2.23") in rules(version)  # of the day before


def test_a_ticket_at_trade_level_is_told_fill_by_fill_under_the_brokers_uti(desk: Desk) -> None:
    monday, tuesday = desk.make(MONDAY)[0], desk.make(TUESDAY)[0]
    assert reported(monday, "acc2") == [
        ("NEWT", "TRAD", "TCTN", "BYER", "1", "100", "", "100"),
        ("MODI", "TRAD", "TCTN", "BYER", "4", "103", "", "412"),
        ("VALU", "", "TCTN", "BYER", "", "", "28", ""),  # 4 x (110 - 103)
    ]
    assert reported(tuesday, "acc2") == [
        ("MODI", "ETRM", "TCTN", "BYER", "3", "103", "", "309"),
        ("TERM", "ETRM", "TCTN", "BYER", "3", "103", "", "309"),
    ]
    utis = {
        r["t2_001_uti"]
        for version in (monday, tuesday)
        for r in rows_of(version.folder / emir.REPORTS)
        if r["account"] == "acc2"
    }
    assert utis == {f"{BROKER}ABC51"}


def test_margin_in_use_is_posted_by_portfolio_and_none_without_collateral(desk: Desk) -> None:
    version, _ = desk.make(MONDAY)
    margins = list(rows_of(version.folder / emir.MARGINS))
    assert [
        (m["account"], m["t3_09_portfolio_code"], m["t3_11_category"], m["t3_13_initial_posted"],
         m["t3_14_initial_posted_currency"], m["t3_07_collateral_timestamp"], m["t3_10_uti"])
        for m in margins
    ] == [
        ("acc1", "THPORTFOLIO1", "OWC1", "5044.86", "USD", "2026-03-02T23:59:59Z", ""),
        ("acc2", "", "UNCL", "", "", "", f"{BROKER}ABC51"),
    ]  # fmt: skip
    sent = [m["t3_28_action_type"] for m in rows_of(version.folder / emir.MARGIN_SUBMISSION)]
    assert sent == ["MARU", "MARU"]
    assert "margin_fresh" in {rule for rule, _ in rules(desk.make(TUESDAY)[0])}


@pytest.mark.reference
def test_what_is_sent_is_valid_for_isos_base_messages(desk: Desk, reference_data: Path) -> None:
    schemas = reference_data / "schemas" / "iso20022"
    for day in (MONDAY, TUESDAY):
        version, _ = desk.make(day)
        for file, schema in ((emir.XML, "auth.030.001.04"), (emir.MARGIN_XML, "auth.108.001.02")):
            assert iso20022.validate(version.folder / file, schemas / f"{schema}.xsd") == []


def test_each_field_is_filled_not_applicable_or_missing_and_why(desk: Desk) -> None:
    version, _ = desk.make(MONDAY)
    fields = list(rows_of(version.folder / "fields.csv"))
    assert {(int(f["table_number"]), int(f["field"])) for f in fields} == {
        *((1, number) for number in range(1, 22)),  # 21 and 3.30: of the United Kingdom alone
        *((2, number) for number in range(1, 155)),
        *((3, number) for number in range(1, 31)),
    }
    assert {f["status"] for f in fields} == {"filled", "not applicable", "missing"}
    assert all(bool(f["reason"]) == (f["status"] != "filled") for f in fields)
    missing = {f["field_name"] for f in fields if f["status"] == "missing"}
    assert missing == {
        "t1_01_reporting_timestamp", "t3_01_reporting_timestamp",
        *(f"t3_{n}_variation_posted{x}" for n, x in ((15, "_before_haircut"), (16, ""),
                                                    (17, "_currency"))),
        "t3_18_excess_posted", "t3_19_excess_posted_currency",
    }  # fmt: skip
    # No signal of this desk is stored; nothing else is wrong but what MT5 does not tell of margin.
    assert rules(version) == {
        ("no_lineage", ""), *(("field_missing", f"3.{n}") for n in range(15, 20))
    }  # fmt: skip


def test_what_changed_after_the_release_is_corrected_taken_back_and_revived(desk: Desk) -> None:
    first, _ = desk.make(MONDAY)
    package.record_sign_off(first, "release", SignOff("bob", True, 1, first.sha256))
    sent = list(rows_of(first.folder / emir.SUBMISSION))
    assert {r["t2_151_action_type"] for r in sent} == {"NEWT", "MODI", "POSC", "VALU"}

    quote(desk.warehouse, f"{MONDAY} 21:00", 111.0, 113.0)  # a later quote: two other values
    position = "2026-02-01,EU,position,,,firm"
    desk.load("emir_accounts.csv", TRADE_LEVEL.replace("2026-01-01,EU,trade,,,broker", position))
    desk.build(*MARTS, day=str(MONDAY))
    second, new = desk.make(MONDAY)
    assert new
    again = list(rows_of(second.folder / emir.SUBMISSION))
    actions = [(r["account"], r["t2_151_action_type"]) for r in again]
    assert actions[:3] == [("acc2", "EROR")] * 3  # the trade is no contract of its own now
    assert ("acc1", "CORR") in actions
    assert sorted(a for a in actions[3:] if a[0] == "acc2") == [
        ("acc2", "NEWT"), ("acc2", "POSC"), ("acc2", "POSC"), ("acc2", "VALU"),
    ]  # fmt: skip
    package.record_sign_off(second, "release", SignOff("bob", True, 2, second.sha256))

    desk.load("emir_accounts.csv", TRADE_LEVEL.replace("2026-01-01", "2026-02-01"))
    desk.build(*MARTS, day=str(MONDAY))
    third, _ = desk.make(MONDAY)
    last = [
        (r["account"], r["t2_151_action_type"]) for r in rows_of(third.folder / emir.SUBMISSION)
    ]
    assert last == [("acc2", "EROR")] * 4 + [("acc2", "REVI")] * 3


def test_wrong_reference_data_are_breaks_with_rule_field_and_owner(desk: Desk) -> None:
    version, _ = desk.make(WEDNESDAY)
    assert rules(version) >= {
        ("uti_given", "2.1"), ("position_uti_given", "2.4"),
        ("contract_covered", "2.10"), ("counterparty_2_lei_renewed", "1.9"),
        ("settlement_currency", "2.19"), ("trade_before_instrument", "2.7"),
        ("field_missing", "2.8"),
    }  # fmt: skip
    owners = {r["rule_id"]: r["owner"] for r in rows_of(version.folder / "breaks.csv")}
    assert owners["uti_given"] == "compliance"
    assert owners["contract_covered"] == owners["trade_before_instrument"] == "reference data"


def test_what_goes_to_the_united_kingdom_is_in_files_of_its_own(desk: Desk) -> None:
    tuesday, wednesday = desk.make(TUESDAY)[0], desk.make(WEDNESDAY)[0]
    assert sorted(p.name for p in tuesday.folder.glob("*.xml")) == [emir.MARGIN_XML, emir.XML]
    assert sorted(p.name for p in wednesday.folder.glob("*.xml")) == [
        emir.MARGIN_XML.replace("submission.", "submission.uk."),
        emir.XML.replace("submission.", "submission.uk."),
    ]
    sent = list(rows_of(wednesday.folder / emir.SUBMISSION))
    assert {(r["regime"], r["account"], r["t1_21_execution_agent"]) for r in sent} == {
        ("UK", "acc1", SHOP)
    }
    uk = etree.parse(wednesday.folder / emir.XML.replace("submission.", "submission.uk."))
    assert uk.findtext(".//{*}NbRcrds") == str(len(sent))
    assert {one.findtext("{*}LEI") for one in uk.iter("{*}ExctnAgt")} == {SHOP}
    eu = list(rows_of(tuesday.folder / emir.SUBMISSION))
    assert {(r["regime"], r["t1_21_execution_agent"]) for r in eu} == {("EU", "")}
    why = {
        f["reason"]
        for f in rows_of(tuesday.folder / "fields.csv")
        if (f["table_number"], f["field"]) in (("1", "21"), ("3", "30"))
    }
    assert why == {"asked for by the United Kingdom alone"}


def test_the_control_sheet_says_what_is_covered_and_what_is_not(desk: Desk) -> None:
    version, _ = desk.make(TUESDAY)
    document = pypdfium2.PdfDocument(version.folder / "emir.pdf")
    try:
        words = " ".join(page.get_textpage().get_text_range() for page in document).split()
    finally:
        document.close()
    said = " ".join(words)
    assert "The layout of this report is a draft" in said
    assert "Covered are contracts for difference, not cleared" in said
    assert "2022/1855" in said


def test_who_generates_the_uti_follows_from_what_the_parties_are(desk: Desk) -> None:
    """A small shop with a financial broker: the broker. Both non-financial, the shop above: it."""
    first, second = (
        [r for r in rows_of(desk.make(d)[0].folder / emir.REPORTS) if r["account"] == "acc3"]
        for d in (THURSDAY, FRIDAY)
    )
    # Below the threshold neither valuation nor margin is due of a non-financial counterparty.
    assert [(r["t2_151_action_type"], r["uti_generator"], r["t2_001_uti"]) for r in first] == [
        ("NEWT", BROKER, "")
    ]
    assert ("uti_given", "2.1") in rules(desk.make(THURSDAY)[0])
    news = [r for r in second if r["t2_151_action_type"] == "NEWT"]
    assert [(r["uti_generator"], r["t2_001_uti"][:22]) for r in news] == [(SHOP, f"{SHOP}TH")]
    assert {r["t2_151_action_type"] for r in second} == {"NEWT", "VALU"}
    margins = [m["account"] for m in rows_of(desk.make(THURSDAY)[0].folder / emir.MARGINS)]
    assert "acc3" not in margins
