"""Values as every report writes them, by the column as by the cell; files read back by a column."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from reports.tables import columns_of, rows_of, text, texts, write_rows

AT = datetime(2026, 3, 2, 10, 0, 0, 1, UTC)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (7, "7"),
        (0.1 + 0.2, "0.3"),
        (1e15, "1e+15"),
        (Decimal("1.50"), "1.50"),
        (date(2026, 3, 2), "2026-03-02"),
        (AT, "2026-03-02T10:00:00.000001Z"),
        (AT.replace(tzinfo=None, microsecond=0), "2026-03-02T10:00:00.000000Z"),
    ],
)
def test_a_value_is_written_the_same_alone_and_in_a_column(value: object, written: str) -> None:
    assert text(value) == written
    assert [str(v) for v in texts([value, value])] == [written, written]
    assert [str(v) for v in texts([value, None])] == [written, ""]


def test_columns_of_text_are_passed_on_as_they_are() -> None:
    column = ["a", "b"]
    assert texts(column) is column
    assert texts([]) == []


def test_rows_are_read_by_what_a_column_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    built = [["1", "yes", "a,b"], ["2", "no", ""], ["3", "yes", 'say "c"']]
    assert write_rows(path, ["n", "reportable", "said"], iter(built)) == 3
    assert columns_of(path) == ["n", "reportable", "said"]
    assert [row["said"] for row in rows_of(path, "reportable", "yes")] == ["a,b", 'say "c"']
    assert len(list(rows_of(path))) == 3
