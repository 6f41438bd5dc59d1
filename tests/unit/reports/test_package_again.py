"""A version that is made again: what is out stays, for nothing of it is left to send."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from core.errors import SettingsError
from reports import package
from reports.package import Rendered, ReportManifest, SignOff, Version


def again(folder: Path, rows: str, submission: str) -> tuple[Version, bool]:
    """Made of rows, and of what is still to send of them."""

    def render(place: Path, _: int) -> Rendered:
        (place / "transactions.csv").write_text(rows)
        (place / "submission.csv").write_text(submission)
        names = ("transactions.csv", "submission.csv")
        return Rendered({}, False, {}, names, ("submission.csv",))

    blank = ReportManifest(
        report="rts22", title="T", day=date(2026, 3, 2), mode="live", version=0, layout="draft-1",
        draft=True, made_us=1, query_sha256={}, dbt_invocation="", inputs={}, empty=False,
        breaks={}, files={},
    )  # fmt: skip
    return package.add_version(folder, blank, render)


def released(version: Version) -> None:
    package.record_sign_off(version, "release", SignOff("bob", True, 2, version.sha256))


@pytest.mark.parametrize(("rows", "number"), [("a\n", 1), ("b\n", 2)])
def test_after_its_release_only_other_rows_make_another_version(
    tmp_path: Path, rows: str, number: int
) -> None:
    version, _ = again(tmp_path / "r", "a\n", "a NEWT\n")
    released(version)
    made_again, new = again(tmp_path / "r", rows, "nothing left\n")
    assert (made_again.manifest.version, new) == (number, number == 2)


def test_before_its_release_another_submission_is_another_version(tmp_path: Path) -> None:
    again(tmp_path / "r", "a\n", "a NEWT\n")
    assert again(tmp_path / "r", "a\n", "a NEWT, by another package\n")[1]


def test_of_two_who_sign_in_one_instant_one_is_refused(tmp_path: Path) -> None:
    version, _ = again(tmp_path / "r", "a\n", "a NEWT\n")

    def sign(person: str) -> str:
        try:
            sign_off = SignOff(person, True, 2, version.sha256)
            package.record_sign_off(version, "release", sign_off)
        except SettingsError as error:
            return str(error)
        return person

    people = [f"person{number}" for number in range(8)]
    with ThreadPoolExecutor(len(people)) as pool:
        said = list(pool.map(sign, people))
    first = version.sign_off("release")
    assert first is not None
    assert [each for each in said if each in people] == [first.by]
    assert sum("release.json exists" in each for each in said) == len(people) - 1
