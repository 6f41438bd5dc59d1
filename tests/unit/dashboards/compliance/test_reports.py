"""Reports on the page: the calendar, one report, and files that no path leads out of."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.clock import ManualClock
from core.settings import Settings
from reports import build
from tests.support import compliance_room as room
from tests.support.compliance_room import DAY, PASSWORD

HERE = "http://127.0.0.1:8050"
NOW_US = 1_772_600_000_000_000  # 2026-03-04
HOSTILE = (
    "../v1/manifest.json", "../../../../users/identity.json", "/etc/passwd", "..", "", ".",
    "%2e%2e/identity.json", "breaks.csv/../manifest.json", "manifest.json\0.csv", "a" * 5_000,
    "..\\identity.json", "other.txt",
)  # fmt: skip


class Page:
    """Ann at her page."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=str(home))
        self.clock = ManualClock(NOW_US)
        self.client = TestClient(room.application(self.settings, self.clock), HERE)

    def get(self, path: str, **parameters: str) -> Any:
        answer = self.client.get(f"/compliance/api/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def code(self, path: str, **parameters: str) -> int:
        return self.client.get(f"/compliance/{path}", params=parameters).status_code


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    room.with_users(tmp_path)
    opened = Page(tmp_path)
    with opened.client:
        body = {"name": "ann", "password": PASSWORD}
        opened.client.post("/compliance/api/sign-in", json=body, headers={"Origin": HERE})
        yield opened


def states(page: Page, **parameters: str) -> dict[tuple[str, str], tuple[str, bool]]:
    listed = page.get("calendar", **parameters)["standings"]
    return {(one["report"], one["day"]): (one["state"], one["late"]) for one in listed}


def test_the_calendar_says_what_is_due_and_how_far_it_is(page: Page) -> None:
    assert states(page) == {}, "nothing is expected of a home that never made a report"
    version = room.version(page.settings)
    assert states(page)["rts22", "2026-03-02"] == ("made", True), "due on the 3rd, it is the 4th"
    assert states(page)["emir", "2026-03-02"] == ("missing", True)
    assert states(page)["emir", "2026-03-03"] == ("missing", False), "due today"
    assert ("emir", "2026-03-01") not in states(page), "before the home's first report"
    assert ("retention", "2026-03-02") not in states(page), "made for a month"
    build.sign(page.settings, version, "ann", True, page.clock)
    assert states(page)["rts22", "2026-03-02"][0] == "signed"
    build.release(page.settings, version, "bob", True, "", page.clock)
    assert states(page)["rts22", "2026-03-02"] == ("released", True)
    (version.folder / "manifest.json").write_text("{")
    listed = page.get("calendar")["standings"]
    damaged = next(one for one in listed if one["report"] == "rts22" and one["day"] == str(DAY))
    assert damaged["state"] == "damaged"
    assert "bring it back" in damaged["problem"]


def test_a_month_ends_with_its_report(page: Page) -> None:
    room.version(page.settings, day=DAY - timedelta(days=9))
    known = states(page)
    assert ("retention", "2026-02-28") in known
    assert ("execution-quality-quarter", "2026-02-28") not in known


def test_a_report_has_its_versions_breaks_and_log(page: Page) -> None:
    room.version(page.settings, breaks=("error", "warning"))
    version = room.version(page.settings, breaks=("warning",), value="2")
    build.sign(page.settings, version, "ann", True, page.clock)
    got = page.get("report", name="rts22", day="2026-03-02")
    assert [one["version"] for one in got["versions"]] == [2, 1]
    assert got["versions"][1]["breaks"] == {"error": 1, "warning": 1}
    assert [one["row"]["severity"] for one in got["breaks"]] == ["warning"]
    assert [(one["version"], one["step"], one["by"]) for one in got["log"]] == [(2, "maker", "ann")]
    assert got["beside"] == []
    room.version(page.settings, "rts22-reconciliation")
    assert page.get("report", name="rts22", day="2026-03-02")["beside"] == ["rts22-reconciliation"]
    alone = page.get("report", name="rts22-reconciliation", day="2026-03-02")
    assert (alone["standing"], alone["beside"]) == (None, [])
    rows = page.get("table", name="rts22", day=str(DAY), version="1", file="transactions.csv")
    assert rows["rows"] == [{"trade_id": "T1", "order_id": "o1", "price": "1"}]


def test_a_file_is_given_as_it_was_made_or_not_at_all(page: Page) -> None:
    version = room.version(page.settings)
    where = {"name": "rts22", "day": "2026-03-02", "version": "1"}
    answer = page.client.get("/compliance/file", params=where | {"file": "rts22.pdf"})
    assert answer.content == (version.folder / "rts22.pdf").read_bytes()
    assert answer.headers["content-disposition"].startswith("attachment")
    (version.folder / "rts22.pdf").write_bytes(b"another")
    assert page.code("file", **where, file="rts22.pdf") == 409
    (version.folder / "breaks.csv").unlink()
    (version.folder / "breaks.csv").symlink_to(page.settings.home_path / "users/identity.json")
    assert page.code("file", **where, file="breaks.csv") == 404
    page.client.cookies.clear()
    assert page.code("file", **where, file="manifest.json") == 401


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_path_leads_out_of_a_version(page: Page, hostile: str) -> None:
    room.version(page.settings)
    where = {"name": "rts22", "day": "2026-03-02", "mode": "live", "version": "1"}
    where["file"] = "manifest.json"
    assert page.code("file", **where) == 200
    for name in where:
        if name == "mode" and not hostile:
            continue  # the world that is meant when none is named
        for path in ("file", "api/table"):
            assert page.code(path, **where | {name: hostile}) in (404, 422), (path, name)
    assert page.code("api/report", **where | {"name": hostile}) in (404, 422)
    assert page.code("api/calendar", until=hostile or "x") in (404, 422)
    if len(hostile) < 200 and "\0" not in hostile and hostile:
        assert page.get("calendar", mode=hostile)["standings"] == []


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1969-12-31", "2026-02-30", "-1"])
def test_a_day_that_is_none_is_refused(page: Page, day: str) -> None:
    room.version(page.settings)
    assert page.code("api/calendar", until=day) == 404
    assert page.code("api/report", name="rts22", day=day) == 404
    assert page.code("api/decisions", day=day) == 404
    assert page.get("calendar", until="1970-01-01")["standings"] == []
