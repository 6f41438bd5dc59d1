"""What a restatement of reports builds: each day once, with all that is made from it."""

from datetime import date
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.errors import WarehouseError
from core.settings import Settings
from orchestration import reporting
from orchestration.restatement import reports
from orchestration.restatement.reports import Concerned, Filed
from orchestration.restatement.rows import Change, Restatement
from orchestration.restatement.work import Desk
from reports import catalog

AGAIN = Change(1, None, None)


def day(number: int) -> date:
    return date(2026, 3, number)


def filed(name: str, number: int) -> Filed:
    return Filed(catalog.named(name), day(number), "live", Path(f"{number}/{name}"))


def concerned(name: str, days: list[int], *all_filed: Filed) -> Concerned:
    one = Restatement(name, "report", "*", day(days[0]), "oanda", "EURUSD")
    return Concerned(one, [day(n) for n in days], list(all_filed), {}, [])


def built(*all_concerned: Concerned) -> list[tuple[int, str, set[str], int]]:
    """Day, firm, reports and how many are made again, in the order of building."""
    nights = reports.planned(all_concerned)
    return [
        (night.key[0].day, night.key[2], {one.name for one in night.reports}, len(night.due))
        for night in nights
    ]


def test_a_day_is_built_once_however_many_reports_look_back_on_it() -> None:
    corrections = [
        concerned("c1", [2, 3], filed("rts22", 2), filed("emir", 2), filed("emir", 4)),
        concerned("c2", [4], filed("emir", 4), filed("emir", 6)),
    ]
    assert built(*corrections) == [
        (2, "", {"rts22", "emir"}, 2),
        (3, "", {"emir"}, 0),  # nothing was filed of it; the fourth looks back on it
        (4, "", {"emir"}, 2),
        (6, "", {"emir"}, 1),
    ]


def test_a_day_that_comes_after_a_report_is_not_built_for_it() -> None:
    assert built(concerned("c1", [2, 3], filed("emir", 2))) == [(2, "", {"emir"}, 1)]
    assert built(concerned("c1", [2, 3], filed("rts22", 3))) == [(3, "", {"rts22"}, 1)]


def test_firms_have_marts_of_their_own() -> None:
    one = concerned("c1", [2], filed("emir@alpha", 3), filed("emir", 3))
    assert built(one) == [
        (2, "", {"emir"}, 0), (2, "alpha", {"emir@alpha"}, 0),
        (3, "", {"emir"}, 1), (3, "alpha", {"emir@alpha"}, 1),
    ]  # fmt: skip


def test_a_day_that_cannot_be_built_leaves_those_that_look_back_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(_: Settings, __: object, of: date, *___: object) -> None:
        if of == day(2):
            raise WarehouseError("out of memory")

    monkeypatch.setattr(reporting, "build", build)
    monkeypatch.setattr(reports, "_made_again", lambda *_: AGAIN)
    one = concerned("c1", [2, 3], filed("emir", 4), filed("rts22", 3))
    desk = Desk(Settings(home=str(tmp_path)), None, ManualClock(0), "ann")  # type: ignore[arg-type]
    failed: dict[tuple[date, str, str], str] = {}
    for night in reports.planned([one]):
        reports._of_night(desk, night, "run", failed)
    assert one.problems == ["emir 2026-03-04: out of memory"]
    assert one.changes == {"rts22 2026-03-03": AGAIN}


@pytest.mark.parametrize(
    ("name", "number", "of_fills", "follows"),
    [
        ("emir", 2, False, True),
        ("emir", 8, False, True),  # its late reports: five days
        ("emir", 9, False, False),
        ("emir", 31, True, True),  # a position may be open since
        ("emir", 1, True, False),
        ("rts22", 3, True, True),
        ("rts22", 4, True, False),
    ],
)
def test_reports_of_positions_follow_from_every_fill_before(
    name: str, number: int, of_fills: bool, follows: bool
) -> None:
    days = [day(2), day(3)]
    assert reports.follows(filed(name, number), days, of_fills=of_fills) is follows
