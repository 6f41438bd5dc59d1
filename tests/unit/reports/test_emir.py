"""EMIR's reference data, what a repository holds, and reports as XML."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from core.errors import InputError
from reports import emir, emir_history, emir_margin_xml, emir_xml, iso20022, reference, rts22_xml
from reports.package import FileFacts, ReportManifest, Version
from reports.reference_rules import valid_upi, valid_uti
from reports.tables import write_rows
from tests.support.compliance import TEMPLATES

LEI = "TICKHOUSEDEMOFIRM093"
_YML = Path(__file__).parents[3] / "dbt/models/marts/compliance/_emir.yml"


def columns() -> list[str]:
    """Columns of rpt_emir_report that are fields of the annex."""
    lines = _YML.read_text().splitlines()
    names = [line.split("{name: ")[1].split(",")[0] for line in lines if "{name: t" in line]
    return [name for name in names if name[1:3] in ("1_", "2_")]


def report(**more: str) -> dict[str, str]:
    """A new position in an index CFD."""
    full = {
        "t1_02_report_submitting_entity": "TICKHOUSEDEMOSUBM082", "t1_03_entity_responsible": LEI,
        "t1_04_counterparty_1": LEI, "t1_05_nature_1": "F", "t1_06_sector_1": "INVF CDTI",
        "t1_07_threshold_1": "false", "t1_09_counterparty_2": "TICKHOUSEDEMOBROK069",
        "t1_11_nature_2": "N", "t1_12_sector_2": "K C", "t1_13_threshold_2": "true",
        "t1_14_obligation_2": "true", "t1_17_direction": "BYER", "t2_001_uti": f"{LEI}TH1",
        "t2_008_upi": "QZTCKHSDM017", "t2_009_cfi": "JEIXCC", "t2_010_contract_type": "CFDS",
        "t2_011_asset_class": "EQUI", "t2_012_crypto": "false", "t2_013_underlying_type": "X",
        "t2_014_underlying_id": "DE000TICKH04", "t2_016_underlying_index_name": "INDEX",
        "t2_019_settlement_currency_1": "EUR", "t2_026_portfolio_indicator": "true",
        "t2_027_portfolio_code": "P1", "t2_030_clearing_obligation": "UKWN",
        "t2_031_cleared": "N", "t2_034_master_agreement": "OTHR",
        "t2_035_other_master_agreement": "Terms", "t2_036_master_agreement_version": "2024",
        "t2_037_intragroup": "false", "t2_038_ptrr": "false", "t2_041_venue": "XXXX",
        "t2_042_execution_timestamp": "2026-03-02T10:00:00Z", "t2_043_effective_date": "2026-03-02",
        "t2_047_delivery": "CASH", "t2_048_price": "5000.25", "t2_049_price_currency": "EUR",
        "t2_055_notional_1": "5000.25", "t2_056_notional_currency_1": "EUR",
        "t2_060_quantity_1": "1", "t2_151_action_type": "NEWT", "t2_152_event_type": "INCP",
        "t2_153_event_date": "2026-03-02", "t2_154_level": "PSTN",
    }  # fmt: skip
    return dict.fromkeys(columns(), "") | {"record_id": "TE1"} | full | more


def every_kind() -> Iterator[dict[str, str]]:
    """A report of each action, and each thing that is written otherwise."""
    yield report()
    component = {"t2_004_subsequent_position_uti": f"{LEI}TH1", "t2_154_level": "TCTN"}
    confirmed = {
        "t2_029_confirmed": "ECNF",
        "t2_028_confirmation_timestamp": "2026-03-02T10:00:00Z",
    }
    yield report(
        t2_151_action_type="POSC", t2_152_event_type="TRAD", **component, **confirmed
    )  # fmt: skip
    yield report(t2_151_action_type="MODI", t2_029_confirmed="NCNF", t2_048_price="-37.63")
    yield report(
        t2_151_action_type="TERM", t2_152_event_type="ETRM",
        t2_045_early_termination_date="2026-03-02", t2_044_expiration_date="2026-12-31",
    )  # fmt: skip
    bare = {name: "" for name in columns() if name[3:6].isdigit() and 7 < int(name[3:6]) < 151}
    valued = {
        "t2_021_valuation_amount": "-12.5", "t2_022_valuation_currency": "EUR",
        "t2_023_valuation_timestamp": "2026-03-02T21:00:00Z", "t2_024_valuation_method": "MTMA",
        "t2_010_contract_type": "CFDS", "t2_011_asset_class": "EQUI", "t1_05_nature_1": "",
        "t1_11_nature_2": "", "t1_14_obligation_2": "", "t2_151_action_type": "VALU",
        "t2_152_event_type": "",
    }  # fmt: skip
    yield report(**(bare | valued))
    for action in ("CORR", "EROR", "REVI"):
        yield report(t2_151_action_type=action, t2_152_event_type="", t1_21_execution_agent=LEI)
    yield report(
        t2_007_isin="DE000TICKH04", t2_008_upi="", t2_013_underlying_type="I", t1_05_nature_1="C",
        t1_06_sector_1="", t1_07_threshold_1="", t2_026_portfolio_indicator="false",
        t2_027_portfolio_code="", t2_034_master_agreement="ISDA", t2_035_other_master_agreement="",
    )  # fmt: skip
    gold = {"t2_011_asset_class": "COMM", "t2_013_underlying_type": "", "t2_014_underlying_id": ""}
    metal = {"t2_116_base_product": "METL", "t2_117_sub_product": "PRME"}
    yield report(t2_118_further_sub_product="GOLD", t1_11_nature_2="O", **gold, **metal)


def written(tmp_path: Path, version: str = emir_xml.BASE) -> Path:
    path, rows = tmp_path / "x.xml", list(every_kind())
    emir_xml.write(path, rows, len(rows), version)
    return path


def test_each_action_stands_in_its_element_with_its_uti_and_record(tmp_path: Path) -> None:
    root = etree.parse(written(tmp_path)).getroot()
    reports = [rpt[0] for rpt in root.iter("{*}Rpt")]
    assert [etree.QName(one).localname for one in reports] == [
        "New", "PosCmpnt", "Mod", "Termntn", "ValtnUpd", "Crrctn", "Err", "Rvv", "New", "New",
    ]  # fmt: skip
    assert {one.findtext(".//{*}TxId/{*}UnqTxIdr") for one in reports} == {f"{LEI}TH1"}
    assert {one.findtext(".//{*}TechRcrdId") for one in reports} == {"TE1"}
    assert root.findtext(".//{*}NbRcrds") == "10"
    amount = reports[4].find(".//{*}CtrctVal")
    assert (amount[0].text, amount[0].get("Ccy"), amount[1].text) == ("12.5", "EUR", "false")


@pytest.mark.reference
def test_the_xml_is_valid_for_isos_base_message_and_no_other(
    tmp_path: Path, reference_data: Path
) -> None:
    schemas = reference_data / "schemas" / "iso20022"
    own = schemas / "auth.030.001.04.xsd"
    assert iso20022.validate(written(tmp_path), own) == []
    nothing = tmp_path / "none.xml"
    emir_xml.write(nothing, [], 0)
    assert iso20022.validate(nothing, own) == []
    with pytest.raises(InputError, match="install the matching package"):
        iso20022.validate(written(tmp_path, "auth.030.001.03"), own)
    emir_xml.write(nothing, [report(t2_001_uti="short")], 1)
    assert any("UnqTxIdr" in problem for problem in iso20022.validate(nothing, own))


def margin(**more: str) -> dict[str, str]:
    """The margin of a portfolio."""
    lines = _YML.read_text().splitlines()
    names = [line.split("{name: ")[1].split(",")[0] for line in lines if "{name: t3_" in line]
    full = {
        "t3_02_report_submitting_entity": "TICKHOUSEDEMOSUBM082", "t3_03_entity_responsible": LEI,
        "t3_04_counterparty_1": LEI, "t3_06_counterparty_2": "TICKHOUSEDEMOBROK069",
        "t3_07_collateral_timestamp": "2026-03-02T21:00:00Z", "t3_08_portfolio_indicator": "true",
        "t3_09_portfolio_code": "P1", "t3_11_category": "OWC1",
        "t3_12_initial_posted_before_haircut": "10.5", "t3_13_initial_posted": "10.5",
        "t3_14_initial_posted_currency": "USD", "t3_28_action_type": "MARU",
        "t3_29_event_date": "2026-03-02",
    }  # fmt: skip
    return dict.fromkeys(names, "") | {"record_id": "TM1"} | full | more


@pytest.mark.reference
def test_margins_are_valid_for_isos_base_message(tmp_path: Path, reference_data: Path) -> None:
    amounts = ("t3_12_initial_posted_before_haircut", "t3_13_initial_posted")
    bare = {**dict.fromkeys(amounts, ""), "t3_07_collateral_timestamp": ""}
    alone = {"t3_09_portfolio_code": "", "t3_10_uti": f"{LEI}A1", "t3_11_category": "UNCL"}
    path, rows = (
        tmp_path / "m.xml",
        [
            margin(),
            margin(t3_28_action_type="CORR", t3_30_execution_agent=LEI),
            margin(**bare, **alone),
        ],
    )
    schema = reference_data / "schemas" / "iso20022" / "auth.108.001.02.xsd"
    emir_margin_xml.write(path, rows, len(rows))
    assert iso20022.validate(path, schema) == []
    kinds = [etree.QName(one[0]).localname for one in etree.parse(path).iter("{*}Rpt")]
    assert kinds == ["MrgnUpd", "Crrctn", "MrgnUpd"]
    emir_margin_xml.write(path, [], 0)
    assert iso20022.validate(path, schema) == []


@pytest.mark.parametrize("code", ["QZXQ4R16245X", "QZH55DK310GD", "QZTCKHSDM017"])
def test_a_upi_is_known_by_its_check_character(code: str) -> None:
    assert valid_upi(code)
    assert not valid_upi(code[:-1] + ("0" if code[-1] != "0" else "1"))
    assert not valid_upi(code.lower())
    assert not valid_upi(f"QA{code[2:]}")
    assert not valid_upi("")


def test_a_uti_begins_with_the_lei_of_who_generates_it() -> None:
    assert valid_uti(f"{LEI}A1")
    for wrong in (LEI, f"{LEI}a1", f"{LEI}{'A' * 33}", "TICKHOUSEDEMOFIRM094A1", f"{LEI}A-1"):
        assert not valid_uti(wrong)


@pytest.mark.parametrize(
    ("name", "line", "problem"),
    [
        ("emir_parties.csv", "firm,2026-01-01,F,,no,yes", "sector is wanted"),
        ("emir_parties.csv", "firm,2026-01-01,C,INVF,no,yes", "sector is wanted"),
        ("emir_parties.csv", "firm,2026-01-01,N,INVF,no,yes", "no code of nature N"),
        ("emir_parties.csv", "firm,2026-01-01,X,,no,yes", "Invalid enum value"),
        ("emir_accounts.csv", "a,*,2026-01-01,EU,trade,,,,,UNCL,ISDA,,,NCNF,no,", "both \\* or"),
        (
            "emir_accounts.csv",
            "a,b,2026-01-01,EU,trade,,,,P1,UNCL,ISDA,,,NCNF,no,",
            "UNCL has none",
        ),
        (
            "emir_accounts.csv",
            "a,b,2026-01-01,EU,trade,,,,,UNCL,OTHR,,,NCNF,no,",
            "agreement_other",
        ),
        ("emir_accounts.csv", "a,b,2026-01-01,EU,trade,,,,,UNCL,ISDA,,02,NCNF,no,", "no year"),
        (
            "emir_accounts.csv",
            "a,b,2026-01-01,EU,trade,,,,,UNCL,ISDA,,,NCNF,no,x",
            "under the regime",
        ),
        ("emir_instruments.csv", "a,B,2026-01-01,QZTCKHSDM018,CFDS,EQUI,no,X,EUR,UKWN,,,", "upi"),
        ("emir_instruments.csv", "a,B,2026-01-01,,CFDS,COMM,no,,EUR,UKWN,,,", "base_product"),
        ("emir_instruments.csv", "a,B,2026-01-01,,CFDS,EQUI,no,X,euro,UKWN,,,", "ISO 4217"),
        ("utis.csv", "a,b,1,2026-01-01,123", "the LEI that generated it"),
    ],
)
def test_a_bad_row_is_refused_with_its_column(
    tmp_path: Path, name: str, line: str, problem: str
) -> None:
    header = (TEMPLATES / name).read_text().splitlines()[0]
    path = tmp_path / name
    path.write_text(f"{header}\n{line}\n")
    with pytest.raises(InputError, match=problem):
        reference.read(path)


def released(folder: Path, number: int, *rows: tuple[str, str, str]) -> Version:
    """A version that sent records: id, action, price."""
    place = folder / f"v{number}"
    place.mkdir()
    names = [emir_history.KEY, emir_history.ACTION, emir_history.EVENT, "t2_048_price"]
    write_rows(
        place / emir_history.SUBMISSION,
        names,
        iter(
            [
                [key, action, "INCP" if action == "NEWT" else "", price]
                for key, action, price in rows
            ]
        ),
    )
    facts = {"x": FileFacts("", 0)}
    manifest = msgspec.convert(
        {
            "report": "emir", "title": "", "day": "2026-03-02", "mode": "live", "version": number,
            "layout": "", "draft": True, "made_us": 0, "query_sha256": {}, "dbt_invocation": "",
            "inputs": {}, "empty": False, "breaks": {}, "files": msgspec.to_builtins(facts),
        },
        ReportManifest,
    )  # fmt: skip
    return Version(place, manifest, str(number))


def test_a_repository_holds_what_was_sent_less_what_was_taken_back(tmp_path: Path) -> None:
    versions = [
        released(tmp_path, 1, ("A", "NEWT", "1"), ("B", "NEWT", "2"), ("C", "NEWT", "3")),
        released(tmp_path, 2, ("A", "CORR", "9"), ("B", "EROR", "2"), ("C", "EROR", "3")),
        released(tmp_path, 3, ("C", "REVI", "4")),
    ]
    held, taken_back = emir_history.at_the_repository(versions)
    assert {key: row["t2_048_price"] for key, row in held.items()} == {"A": "9", "C": "4"}
    assert {row[emir_history.ACTION] for row in held.values()} == {"NEWT"}
    assert {row[emir_history.EVENT] for row in held.values()} == {"INCP"}
    assert taken_back == {"B"}
    assert emir_history.at_the_repository([]) == ({}, frozenset())


def test_a_field_that_was_added_since_a_release_is_no_difference_while_it_is_empty() -> None:
    sent = {"record_id": "A", "t2_048_price": "1", "t2_003_prior_uti": ""}
    assert emir_history.fields_of(sent) == emir_history.fields_of(sent | {"t1_21_x": ""})
    assert emir_history.fields_of(sent) != emir_history.fields_of(sent | {"t1_21_x": LEI})


def test_what_an_older_layout_released_is_written_under_the_columns_of_today() -> None:
    """EROR repeats the row of then, which knows nothing of columns that came since."""
    columns, counts = ["record_id", "regime", "t1_21_x", "price"], Counter[str]()
    rows = iter([{"record_id": "A", "price": "1"}, {"record_id": "B", "regime": "UK", "price": ""}])
    assert list(emir._lines(rows, columns, counts)) == [["A", "EU", "", "1"], ["B", "UK", "", ""]]
    assert counts == {"EU": 1, "UK": 1}


def test_a_package_of_the_united_kingdom_lies_below_the_others(tmp_path: Path) -> None:
    own = schema(tmp_path, "auth.030.001.03_ESMAUG_DATTAR.xsd", "auth.030.001.03")
    assert emir._package(str(tmp_path), "EU", emir_xml.MESSAGE) == (own, "auth.030.001.03")
    # Nobody's file is held to another authority's schema.
    assert emir._package(str(tmp_path), "UK", emir_xml.MESSAGE) == (None, emir_xml.BASE)
    (tmp_path / "uk").mkdir()
    other = schema(tmp_path / "uk", "auth.030.001.03_FCAUG.xsd", "auth.030.001.03")
    assert emir._package(str(tmp_path), "UK", emir_xml.MESSAGE) == (other, "auth.030.001.03")


def schema(folder: Path, name: str, version: str) -> Path:
    """A schema file that is for a version of a message, and for nothing in it."""
    path = folder / name
    space = iso20022.namespace(version)
    path.write_text(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{space}"/>'
    )
    return path


def test_a_package_says_by_its_namespace_which_version_is_written(tmp_path: Path) -> None:
    own = schema(tmp_path, "auth.030.001.03_ESMAUG_DATTAR.xsd", "auth.030.001.03")
    schema(tmp_path, "auth.108.001.01.xsd", "auth.108.001.01")
    assert iso20022.package_in(tmp_path, emir_xml.MESSAGE) == (own, "auth.030.001.03")
    assert iso20022.package_in(tmp_path, emir_margin_xml.MESSAGE)[1] == "auth.108.001.01"
    schema(tmp_path, "auth.030.001.04.xsd", "auth.030.001.04")
    with pytest.raises(InputError, match="install the authority's schema package"):
        iso20022.package_in(tmp_path, emir_xml.MESSAGE)


def test_a_folder_of_packages_need_not_have_one_for_every_report(tmp_path: Path) -> None:
    own = schema(tmp_path, "auth.030.001.03_ESMAUG_DATTAR.xsd", "auth.030.001.03")
    there = iso20022.installed(str(tmp_path), emir_xml.MESSAGE, emir_xml.BASE)
    assert there == (own, "auth.030.001.03")
    missing = iso20022.installed(str(tmp_path), rts22_xml.MESSAGE, rts22_xml.BASE)
    assert missing == iso20022.installed("", rts22_xml.MESSAGE, rts22_xml.BASE)
    assert missing == (None, "auth.016.001.03")
    with pytest.raises(InputError, match="is no folder"):
        iso20022.installed(str(tmp_path / "gone"), rts22_xml.MESSAGE, rts22_xml.BASE)


@pytest.mark.parametrize("version", ["auth.016.001.03", "auth.030.002.01", "elsewhere"])
def test_a_package_of_another_message_is_refused(tmp_path: Path, version: str) -> None:
    schema(tmp_path, "auth.030.xsd", version)
    with pytest.raises(InputError, match=r"not for an auth\.030\.001"):
        iso20022.package_in(tmp_path, emir_xml.MESSAGE)
