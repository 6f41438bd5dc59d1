"""A restated version names every value that it says otherwise, and rows that came or went."""

from pathlib import Path

from reports.base import Sheet
from reports.catalog import REPORTS
from reports.version_changes import Change, changes, said

BEFORE = "id,leg,price,note\nA,1,10,x\nB,1,11,x\nC,1,12,x\nC,1,13,x\n"
AFTER = "id,leg,price,other\nA,1,10,y\nB,1,11.5,y\nC,1,12,y\nC,1,14,y\nD,1,15,y\n"


def differences(tmp_path: Path, before: str, after: str) -> list[Change]:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text(before)
    new.write_text(after)
    return list(changes("trades.csv", old, new, ("id", "leg")))


def test_values_and_rows_are_named_and_columns_of_one_version_are_not(tmp_path: Path) -> None:
    differ = differences(tmp_path, BEFORE, AFTER)
    assert differ == [
        Change("trades.csv", "B 1", "changed", "price", "11", "11.5"),
        Change("trades.csv", "C 1 #2", "changed", "price", "13", "14"),
        Change("trades.csv", "D 1", "added"),
    ]
    assert said(differ).startswith("1 rows came, 0 went, 2 values of 2 rows changed")


def test_equal_files_differ_in_nothing_and_order_is_no_difference(tmp_path: Path) -> None:
    assert differences(tmp_path, BEFORE, BEFORE) == []
    header, first, second, *rest = BEFORE.splitlines()
    assert differences(tmp_path, BEFORE, "\n".join([header, second, first, *rest, ""])) == []


def test_a_file_that_the_version_before_did_not_have_is_no_difference(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(AFTER)
    assert list(changes("new.csv", tmp_path / "none.csv", tmp_path / "new.csv", ("id",))) == []


def test_rows_are_known_by_ids_and_by_times_where_there_are_none() -> None:
    assert Sheet("f", "m", "ts_trade, trade_id").key == ("trade_id",)
    assert Sheet("f", "m", "account, ts_stopped").key == ("account", "ts_stopped")
    assert all(sheet.key for report in REPORTS.values() for sheet in report.sheets)
    names = {sheet.file for report in REPORTS.values() for sheet in report.sheets}
    assert "restated.csv" not in names
