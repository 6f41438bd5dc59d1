"""What is done by click: once, by whoever may, of what they saw, and kept as a command keeps it."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from audit.privacy import cases as privacy
from core.audit_log import path_in, read
from core.clock import ManualClock
from core.sections import ClickhouseSettings
from core.settings import Settings
from tests.support import compliance_room as room
from tests.support.compliance_room import COOKIE, KEY, PASSWORD, PROOF

HERE = "http://127.0.0.1:8050"
NOW_US = 1_772_600_000_000_000
NASTY = '<img src=x onerror="alert(1)">\'; DROP TABLE tick --'


class Person:
    """Somebody's browser at the page."""

    def __init__(self, client: TestClient, name: str) -> None:
        self._client = client
        body = {"name": name, "password": PASSWORD}
        answer = client.post("/compliance/api/sign-in", json=body, headers={"Origin": HERE})
        cookie = f"{COOKIE}={answer.cookies[COOKIE]}"
        client.cookies.clear()
        self.headers = {"Origin": HERE, "Cookie": cookie, PROOF: answer.json()["proof"]}

    def send(self, path: str, body: object, **headers: str) -> tuple[int, str]:
        given = self.headers | {KEY: str(uuid.uuid4())} | headers
        answer = self._client.post(f"/compliance/api/{path}", json=body, headers=given)
        return answer.status_code, answer.text

    def form(self, path: str, body: dict[str, str]) -> int:
        headers = self.headers | {KEY: "a" * 8}
        answer = self._client.post(f"/compliance/api/{path}", data=body, headers=headers)
        return answer.status_code

    def get(self, path: str, **parameters: str) -> Any:
        answer = self._client.get(
            f"/compliance/api/{path}", params=parameters, headers=self.headers
        )
        return answer.json() | {"code": answer.status_code}


class Office:
    """A home with a report, Ann and Bob."""

    def __init__(self, home: Path, *, signed: bool = False) -> None:
        room.with_users(home)
        where = ClickhouseSettings(url="http://127.0.0.1:9")
        self.settings = Settings(home=str(home), clickhouse=where)
        self.clock = ManualClock(NOW_US)
        self.client = TestClient(room.application(self.settings, self.clock, signed=signed), HERE)

    def __enter__(self) -> "Office":
        self.client.__enter__()
        self.ann, self.bob = Person(self.client, "ann"), Person(self.client, "bob")
        return self

    def __exit__(self, *_: object) -> None:
        self.client.__exit__()

    def lines(self) -> list[tuple[str, str, bool]]:
        return [
            (line.actor, line.action, '"authenticated":true' in line.detail)
            for line in read(path_in(self.settings.home_path))
        ]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as opened:
        yield opened


def step(version: Any, what: str, **more: str) -> dict[str, str]:
    return {
        "name": "rts22", "day": "2026-03-02", "sha256": version.sha256, "step": what, **more
    }  # fmt: skip


def test_one_signs_another_releases_and_a_reference_is_kept(office: Office) -> None:
    version = room.version(office.settings)
    assert office.bob.send("report-step", step(version, "release"))[0] == 422, "nobody made it"
    assert office.ann.send("report-step", step(version, "sign"))[0] == 200
    code, text = office.ann.send("report-step", step(version, "release"))
    assert (code, "a second person" in text) == (422, True)
    assert office.bob.send("report-step", step(version, "release", reason="read"))[0] == 200
    filed = step(version, "filed", reference="TR-1")
    assert office.ann.send("report-step", filed)[0] == 200
    assert office.lines() == [
        ("ann", "report signed", True), ("bob", "report released", True),
        ("ann", "report filed", True),
    ]  # fmt: skip
    standing = office.ann.get("report", name="rts22", day="2026-03-02")["standing"]
    assert (standing["maker"], standing["checker"], standing["reference"], standing["state"]) == (
        "ann", "bob", "TR-1", "filed",
    )  # fmt: skip


def test_what_another_saw_or_another_home_holds_is_not_signed(
    office: Office, tmp_path: Path
) -> None:
    version = room.version(office.settings)
    other = room.version(Settings(home=str(tmp_path / "other")), value="7")
    assert office.ann.send("report-step", step(other, "sign"))[0] == 422
    room.version(office.settings, value="2")
    code, text = office.ann.send("report-step", step(version, "sign"))
    assert (code, "another version" in text) == (422, True)
    for name in ("../rts22", "emir", "nonsense"):
        assert office.ann.send("report-step", step(version, "sign") | {"name": name})[0] == 422
    assert office.lines() == []


def test_errors_forbid_a_release_by_click_too(office: Office) -> None:
    version = room.version(office.settings, breaks=("error",))
    assert office.ann.send("report-step", step(version, "sign"))[0] == 200
    assert office.bob.send("report-step", step(version, "release"))[0] == 422


def test_where_controls_are_signed_the_command_is_told(tmp_path: Path) -> None:
    with Office(tmp_path, signed=True) as office:
        version = room.version(office.settings)
        code, text = office.ann.send("report-step", step(version, "sign"))
        assert code == 422
        assert "tickhouse report sign rts22 --date 2026-03-02 --by ann" in text
        assert office.lines() == []


def test_a_second_click_does_nothing_more(office: Office) -> None:
    version = room.version(office.settings, breaks=("warning",))
    got = office.ann.get("report", name="rts22", day="2026-03-02")
    [one] = got["breaks"]
    body = {
        "name": "rts22", "day": "2026-03-02", "sha256": version.sha256, "break_id": one["id"],
        "step": "resolved", "reason": NASTY,
    }  # fmt: skip
    key = str(uuid.uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: office.ann.send("break-step", body, **{KEY: key}), range(8))
        )
    assert set(answers) == {(200, '{"by":"ann"}')}
    assert office.lines() == [("ann", "break resolved", True)]
    assert office.ann.send("break-step", body | {"step": "reopened"}, **{KEY: key})[0] == 422
    assert office.bob.send("break-step", body, **{KEY: key})[0] == 422, "a key is one person's"
    again = office.ann.get("report", name="rts22", day="2026-03-02")
    assert again["breaks"][0]["resolution"] == NASTY


def test_only_our_own_page_with_its_proof_and_a_key_changes_anything(office: Office) -> None:
    version = room.version(office.settings)
    body = step(version, "sign")
    for headers, code in (
        ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403),
        ({PROOF: "x"}, 401), ({PROOF: office.bob.headers[PROOF]}, 401), ({KEY: ""}, 422),
        ({KEY: "x" * 65}, 422), ({"Host": "evil.example"}, 400), ({"Cookie": ""}, 401),
    ):  # fmt: skip
        assert office.ann.send("report-step", body, **headers)[0] == code, headers
    assert office.ann.form("report-step", body) == 415, "what another site's form can send"
    assert office.lines() == []


@pytest.mark.parametrize(
    "body",
    [
        {}, [], "x", {"step": "sign"}, {"name": "rts22", "day": "x", "sha256": "", "step": "sign"},
        {"name": "rts22", "day": "2026-03-02", "sha256": "", "step": "sign", "by": "bob"},
        {"name": "rts22", "day": "2026-03-02", "sha256": "", "step": "delete"},
        {"name": "rts22", "day": "2026-03-02", "sha256": "", "step": "sign", "reason": "\x1b[2J"},
        {"name": "rts22", "day": "2026-03-02", "sha256": "", "step": "sign", "reason": "\u202ea"},
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(office: Office, body: object) -> None:
    room.version(office.settings)
    assert office.ann.send("report-step", body)[0] == 422
    assert office.lines() == []


def test_a_huge_body_is_not_read(office: Office) -> None:
    version = room.version(office.settings)
    huge = step(version, "sign", reason="x" * 10_000_000)
    assert office.ann.send("report-step", huge)[0] == 413


def test_a_request_about_personal_data_is_a_case_beside_the_others(office: Office) -> None:
    """The warehouse is away: the list says what is missing."""
    case = privacy.open_case(
        office.settings, "access", "p-0123456789abcdef", "bob", "a letter", True, office.clock
    )
    got = office.ann.get("cases")
    assert [(one["kind"], one["case_id"]) for one in got["cases"]] == [("privacy", case.name)]
    assert "are missing" in got["problem"]
    body = {"kind": "privacy", "case_id": case.name, "step": "noted", "reason": NASTY}
    assert office.ann.send("case-step", body)[0] == 200
    assert office.ann.send("case-step", body | {"step": "closed"})[0] == 422
    assert office.ann.send("case-step", body | {"kind": "abuse"})[0] == 503
    view = office.ann.get("case", kind="privacy", id=case.name)["case"]
    assert view["notes"] == [f"ann: {NASTY}"]
    assert view["commands"] == [
        f"tickhouse privacy export {case.name} --out DIR --by ann --reason TEXT"
    ]
    for hostile in ("", "nothing", "../x"):
        assert office.ann.get("case", kind="privacy", id=hostile)["code"] == 404
