"""Templates: each rule lets a good row pass and names a bad one; one bad row loads nothing."""

import csv
from pathlib import Path

import pytest

from core.errors import InputError
from reports import reference
from reports.reference import read
from reports.reference_rows import TABLES, ReferenceAccount
from reports.reference_rules import valid_isin, valid_lei

SHIPPED = sorted((Path(reference.__file__).parent / "templates" / "reference").glob("*.csv"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_templates_are_good(path: Path) -> None:
    assert read(path).rows


def test_every_kind_has_a_shipped_template() -> None:
    assert {read(path).kind for path in SHIPPED} == set(TABLES)


def changed(tmp_path: Path, name: str, column: str, value: str) -> Path:
    """A shipped template with one value of its first row changed."""
    source = next(p for p in SHIPPED if p.stem == name)
    with source.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0][column] = value
    target = tmp_path / source.name
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return target


@pytest.mark.parametrize(
    ("name", "column", "good", "bad"),
    [
        ("instruments", "isin", "DE000TICKH04", "DE000TICKH05"),
        ("instruments", "underlying_isin", "EZTICKHIDX58", "ZZTICKHIDX58"),
        ("instruments", "cfi", "JEIXCC", "JEIXC"),
        ("instruments", "venue", "XETR", "XETRA"),
        ("instruments", "price_currency", "USD", "US"),
        ("instruments", "notional_currency_1", "", "eur"),
        ("instruments", "price_notation", "PERC", "PCT"),
        ("instruments", "quantity_notation", "NOML", "LOTS"),
        ("instruments", "units_per_lot", "0.5", "0"),
        ("instruments", "option_type", "CALL", "C"),
        ("instruments", "expiry", "2027-12-17", "17.12.2027"),
        ("instruments", "maturity", "2030-01-01", "2030"),
        ("instruments", "delivery", "PHYS", "NONE"),
        ("instruments", "reportable_rts22", "no", "maybe"),
        ("instruments", "reason_rts22", "because", ""),
        ("instruments", "valid_from", "2020-02-29", "2021-02-29"),
        ("parties", "lei", "TICKHOUSEDEMOBROK069", "TICKHOUSEDEMOBROK068"),
        ("parties", "country", "FR", "France"),
        ("parties", "lei_valid_until", "2027-01-01", "soon"),
        ("accounts", "capacity", "AOTC", "PRINCIPAL"),
        ("accounts", "branch_country", "FR", "France"),
        ("accounts", "mandate", "no", "yes"),  # of an account of the firm's own
        ("accounts", "submitter", "firm", ""),
        ("people", "decision_id", "A" * 50, "A" * 51),
        ("people", "execution_kind", "NORE", "ROBOT"),
        ("rates", "rate", "0.9", "-1"),
        ("rates", "currency", "CHF", "Swiss"),
        ("codes", "code", "ZZZ", "ZZZZ"),
    ],
)
def test_each_rule_passes_a_good_value_and_names_a_bad_one(
    tmp_path: Path, name: str, column: str, good: str, bad: str
) -> None:
    assert read(changed(tmp_path, name, column, good)).rows
    with pytest.raises(InputError) as refused:
        read(changed(tmp_path, name, column, bad))
    assert refused.value.row == 2
    assert "nothing was loaded" in str(refused.value)
    assert column in str(refused.value) or column == "code"


def test_a_row_twice_and_a_strange_header_are_named(tmp_path: Path) -> None:
    twice = tmp_path / "rates.csv"
    line = "USD,2020-01-01,1,x\n"
    twice.write_text(f"currency,valid_from,rate,publisher\n{line}{line}")
    with pytest.raises(InputError, match="stands twice"):
        read(twice)
    twice.write_text("currency,valid_from,price,publisher\n")
    with pytest.raises(InputError, match=r"missing are \['rate'\], unknown \['price'\]"):
        read(twice)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("TICKHOUSEDEMOFIRM093", True),
        ("TICKHOUSEDEMOFIRM039", False),
        ("tickhousedemofirm093", False),
    ],
)
def test_lei_check_digits(text: str, good: bool) -> None:
    assert valid_lei(text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("US0378331005", True),
        ("US0378331006", False),
        ("EZTICKHOUS07", True),
        ("US03783310", False),
    ],
)
def test_isin_check_digit(text: str, good: bool) -> None:
    assert valid_isin(text) is good


def test_a_file_from_before_a_column_is_read_with_its_default(tmp_path: Path) -> None:
    old = tmp_path / "accounts.csv"
    old.write_text(
        "account,source,valid_from,executing_party,client_party,counterparty,submitter,"
        "investment_firm,capacity\n*,*,2010-01-01,firm,client,broker,submitter,yes,AOTC\n"
    )
    (row,) = read(old).rows
    assert isinstance(row, ReferenceAccount)
    assert (row.branch_country, row.mandate) == ("", False)
    old.write_text(old.read_text().replace(",capacity\n", "\n").replace(",AOTC", ""))
    with pytest.raises(InputError, match="capacity"):
        read(old)
