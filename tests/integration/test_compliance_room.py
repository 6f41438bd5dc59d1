"""The room for compliance staff over a real warehouse: cases by click, decisions, verifications."""

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.audit_log import path_in, read
from core.clock import ManualClock
from tests.support import compliance_room as room
from tests.support.compliance_desk import NASTY, NOW_US, furnish
from tests.support.compliance_room import KEY, PASSWORD, PROOF
from tests.support.warehouse_server import migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="browser")]
HERE = "http://127.0.0.1:8050"


class Page:
    """Ann and Bob at the page of a furnished home."""

    def __init__(self, client: TestClient, home: Any) -> None:
        self.client, self.home = client, home
        self._headers = {name: self._sign_in(name) for name in ("ann", "bob")}

    def _sign_in(self, name: str) -> dict[str, str]:
        body = {"name": name, "password": PASSWORD}
        answer = self.client.post("/compliance/api/sign-in", json=body, headers={"Origin": HERE})
        cookie = f"{room.COOKIE}={answer.cookies[room.COOKIE]}"
        self.client.cookies.clear()
        return {"Origin": HERE, "Cookie": cookie, PROOF: answer.json()["proof"]}

    def get(self, path: str, **parameters: str) -> Any:
        url, headers = f"/compliance/api/{path}", self._headers["ann"]
        answer = self.client.get(url, params=parameters, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def step(self, who: str, kind: str, case_id: str, step: str, **more: object) -> int:
        body = {"kind": kind, "case_id": case_id, "step": step, **more}
        headers = self._headers[who] | {KEY: str(uuid.uuid4())}
        answer = self.client.post("/compliance/api/case-step", json=body, headers=headers)
        return answer.status_code

    def lines(self, subject: str) -> list[tuple[str, str]]:
        events = read(path_in(self.home))
        return [(line.actor, line.action) for line in events if line.subject == subject]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("room")
    (folder / "home").mkdir()
    server = migrated(folder)
    try:
        settings = furnish(server, folder / "home")
        application = room.application(settings, ManualClock(NOW_US))
        with TestClient(application, HERE) as client:
            yield Page(client, folder / "home")
    finally:
        server.stop()


def case_of(page: Page, kind: str) -> dict[str, Any]:
    listed = page.get("cases", closed="yes")["cases"]
    return next(one for one in listed if one["kind"] == kind)


def view(page: Page, kind: str, case_id: str) -> Any:
    return page.get("case", kind=kind, id=case_id)["case"]


def test_three_kinds_are_one_list_with_their_clocks(page: Page) -> None:
    got = page.get("cases")
    assert got["problem"] == ""
    assert {one["kind"] for one in got["cases"]} == {"abuse", "incident", "privacy"}
    incident = case_of(page, "incident")
    assert incident["due"] == "classification by 2026-03-05 08:30"
    assert NASTY in incident["title"]


def test_a_case_of_abuse_is_taken_noted_and_closed_by_its_analyst(page: Page) -> None:
    case_id = case_of(page, "abuse")["case_id"]
    assert [step["name"] for step in view(page, "abuse", case_id)["steps"]] == ["taken", "noted"]
    closing = {"outcome": "explained", "reason": "a hedge"}
    assert page.step("ann", "abuse", case_id, "closed", **closing) == 422, "nobody's yet"
    assert page.step("ann", "abuse", case_id, "taken") == 200
    assert page.step("ann", "abuse", case_id, "taken") == 422, "hers already"
    assert page.step("bob", "abuse", case_id, "closed", **closing) == 422, "not his"
    assert page.step("bob", "abuse", case_id, "noted", reason=NASTY) == 200
    assert page.step("ann", "abuse", case_id, "closed", **closing) == 200
    closed = view(page, "abuse", case_id)
    assert (closed["row"]["status"], closed["row"]["outcome"]) == ("closed", "explained")
    assert f"bob: {NASTY}" in closed["notes"][0]
    assert [step["name"] for step in closed["steps"]] == ["reopened"]
    assert page.lines(case_id) == [
        ("ann", "case taken"), ("bob", "case noted"), ("ann", "case closed"),
    ]  # fmt: skip


def test_two_who_take_a_case_at_once_do_not_both(page: Page) -> None:
    listed = [one for one in page.get("cases")["cases"] if one["kind"] == "abuse"]
    case_id = listed[-1]["case_id"]
    codes = list[int]()
    clicks = [
        threading.Thread(target=lambda: codes.append(page.step("ann", "abuse", case_id, "taken")))
        for _ in range(4)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert sorted(codes) == [200, 422, 422, 422]
    assert page.lines(case_id) == [("ann", "case taken")]


def test_an_incident_is_classified_filed_and_closed(page: Page) -> None:
    case_id = case_of(page, "incident")["case_id"]
    impact = {"critical_service": True, "downtime_h": 3, "costs_eur": 200_000.0}
    hostile = ({"clients_share": 3}, {"nothing": 1}, {"clients": -1}, {"clients": "many"})
    for wrong in hostile:
        code = page.step("ann", "incident", case_id, "classified", reason="x", impact=wrong)
        assert code == 422, wrong
    assert page.step("ann", "incident", case_id, "taken") == 422
    done = page.step("ann", "incident", case_id, "classified", reason="known", impact=impact)
    assert done == 200
    names = [step["name"] for step in view(page, "incident", case_id)["steps"]]
    assert names == ["noted", "classified", "ended", "filed", "closed"]
    late = {"what": "final", "reference": "R"}
    assert page.step("ann", "incident", case_id, "filed", **late) == 422, "out of turn"
    for what in ("initial", "intermediate", "final"):
        filing = {"what": what, "reference": f"BaFin-{what}"}
        assert page.step("ann", "incident", case_id, "filed", **filing) == 200
    assert page.step("ann", "incident", case_id, "ended") == 200
    assert page.step("ann", "incident", case_id, "ended") == 422, "a second click"
    assert page.step("ann", "incident", case_id, "closed", reason="a full disk") == 200
    closed = view(page, "incident", case_id)
    assert (closed["row"]["status"], closed["row"]["due"]) == ("closed", "")


@pytest.mark.parametrize(
    ("given", "least"),
    [
        ({"symbol": "XAUUSD", "day": "2026-03-02"}, 20), ({"strategy": "trend"}, 20),
        ({"day": "2026-03-03"}, 1), ({"denied": "yes", "day": "2026-03-03"}, 1),
    ],
)  # fmt: skip
def test_decisions_are_searched(page: Page, given: dict[str, str], least: int) -> None:
    rows = page.get("decisions", **given)["rows"]
    assert len(rows) >= least
    if "symbol" in given:
        assert {row["symbol"] for row in rows} == {"XAUUSD"}
    if "denied" in given:
        assert [(row["kind"], row["reason"]) for row in rows] == [("denied", "position limit")]


def test_an_id_leads_to_its_order_and_the_order_to_its_lineage(page: Page) -> None:
    order = page.get("decisions", day="2026-03-02")["rows"][0]
    for name in (order["order_id"], f"s{order['order_id']}"):
        rows = page.get("decisions", id=name)["rows"]
        assert order["order_id"] in {row["order_id"] for row in rows}
    got = page.get("decision", order=order["order_id"], run=order["run_id"])["rows"]
    assert [row["kind"] for row in got][:2] == ["received", "submitted"]
    assert {row["account"] for row in got} == {order["account"]}


@pytest.mark.parametrize(
    "hostile", ["' OR 1=1 --", "{order:String}", "\\", "a'; DROP TABLE tick; --", "%", NASTY]
)
def test_what_is_searched_for_is_a_value_and_nothing_more(page: Page, hostile: str) -> None:
    for name in ("id", "symbol", "strategy"):
        assert page.get("decisions", **{name: hostile})["rows"] == []
    headers = page._headers["ann"]
    for path, given in (
        ("decisions", {}), ("decisions", {"day": hostile}), ("decision", {"order": hostile}),
        ("case", {"kind": "abuse", "id": hostile}), ("case", {"kind": hostile, "id": "a"}),
    ):  # fmt: skip
        answer = page.client.get(f"/compliance/api/{path}", params=given, headers=headers)
        assert answer.status_code == 404, (path, given)


def test_the_last_verification_is_said(page: Page) -> None:
    got = page.get("verifications")
    assert [(row["status"], row["events"], row["breaks"]) for row in got["rows"]] == [
        ("passed", 1_240, 0), ("failed", 1_234, 1),
    ]  # fmt: skip
    assert got["sealed"] == ""
