"""Reports name the texts they were written after, and warn of those read too long ago."""

from datetime import date
from pathlib import Path

import pytest

from core.errors import SettingsError
from reports import legal_texts
from reports.catalog import REPORTS

TODAY = date(2026, 11, 23)
NEWER = """
[rts22]
act = "Delegated Regulation (EU) 2017/590"
says = "Transaction reports"
articles = "1 to 15"
consolidated = 2026-09-01
review = 2027-03-01
read_by = "cora"
"""


def test_every_report_after_a_text_warns_while_ours_are_of_2019(tmp_path: Path) -> None:
    texts = legal_texts.load(tmp_path)
    assert {name for report in REPORTS.values() for name in report.texts} == set(texts)
    for report in REPORTS.values():
        said = legal_texts.notes([texts[name] for name in report.texts], TODAY)
        assert bool(said) == bool(report.texts)
        warnings = [note for note in said if note.startswith("Warning: ")]
        assert all("older than twelve months" in note for note in warnings)
        assert bool(warnings) == bool(report.texts)
    quality = [texts[name] for name in REPORTS["execution-quality"].texts]
    assert [note.partition(":")[0] for note in legal_texts.notes(quality, TODAY)] == [
        "Written after", "No longer in force", "Warning",
    ]  # fmt: skip
    assert "no longer in force: the duty to publish ended" in texts["rts28"].problem(TODAY)


def test_a_firm_s_own_reading_replaces_ours_until_it_is_old_itself(tmp_path: Path) -> None:
    legal_texts.path_in(tmp_path).write_text(NEWER)
    texts = legal_texts.load(tmp_path)
    (basis,) = legal_texts.notes([texts["rts22"]], TODAY)
    assert "as consolidated 2026-09-01 (read by cora), next review 2027-03-01" in basis
    assert texts["rts22"].problem(date(2027, 3, 2)) == "review was due on 2027-03-01"
    assert "older than twelve months" in texts["rts22"].problem(date(2027, 9, 3))
    assert texts["rts25"].consolidated == 2019


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (NEWER.replace("consolidated = 2026-09-01", 'consolidated = "soon"'), "consolidated"),
        (NEWER + 'approved = "yes"', "approved"),
        ("[rts22", "legal_texts.toml"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str, problem: str) -> None:
    legal_texts.path_in(tmp_path).write_text(text)
    with pytest.raises(SettingsError, match=problem):
        legal_texts.load(tmp_path)
