"""Who comes into the room of compliance, and what a page of elsewhere can make of it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from core import identity
from core.clock import ManualClock
from core.sections import ClickhouseSettings
from core.settings import Settings
from tests.support import compliance_room as room
from tests.support.compliance_room import HOME_USERS, PASSWORD, PROOF

HERE = "http://127.0.0.1:8050"
OURS = {"Origin": HERE}
NOW_US = 1_772_600_000_000_000  # 2026-03-04
READS = ("calendar", "report?name=rts22&day=2026-03-02", "session")


class Page:
    """A browser at the page of a home."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(
            home=str(home), clickhouse=ClickhouseSettings(url="http://127.0.0.1:9")
        )
        self.clock = ManualClock(NOW_US)
        room.version(self.settings)
        self.client = TestClient(room.application(self.settings, self.clock), HERE)

    def sign_in(self, name: str, password: str = PASSWORD) -> int:
        body = {"name": name, "password": password}
        return self.client.post("/compliance/api/sign-in", json=body, headers=OURS).status_code

    def later(self, minutes: int) -> None:
        self.clock.advance(self.clock.now_us() + minutes * 60_000_000)

    def reads(self) -> set[int]:
        return {self.client.get(f"/compliance/api/{path}").status_code for path in READS}


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    room.with_users(tmp_path)
    opened = Page(tmp_path)
    with opened.client:
        yield opened


def test_only_a_user_of_role_compliance_comes_in(page: Page) -> None:
    assert page.reads() == {401}
    for name, role in HOME_USERS.items():
        allowed = role == "compliance"
        assert page.sign_in(name) == (200 if allowed else 403), name
        assert page.reads() == ({200} if allowed else {401}), name
        assert page.client.post("/compliance/api/sign-out", headers=OURS).status_code == 200
    assert page.sign_in("ann", "wrong horse") == 403


def test_without_users_nobody_comes_in(tmp_path: Path) -> None:
    with (opened := Page(tmp_path)).client:
        assert opened.reads() == {403}
        assert opened.sign_in("ann") == 403


def test_the_shell_holds_no_data_and_says_what_may_be_loaded(page: Page) -> None:
    answer = page.client.get("/compliance")
    assert answer.status_code == 200
    assert "rts22" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for name in ("compliance.js", "compliance.css"):
        assert page.client.get(f"/{name}").status_code == 200


def test_a_session_ends_when_unused_when_long_and_when_the_role_is_gone(page: Page) -> None:
    page.sign_in("ann")
    for _ in range(3):
        page.later(14)
        assert page.reads() == {200}
    page.later(16)
    assert page.reads() == {401}
    page.sign_in("ann")
    begun = page.clock.now_us()
    while page.clock.now_us() < begun + 8 * 3_600_000_000:
        assert page.reads() == {200}
        page.later(14)
    assert page.reads() == {401}
    page.sign_in("ann")
    path = identity.path_in(page.settings.home_path)
    users = identity.load(path)
    identity.save(path, users | {"ann": identity.new_user("ann", "analyst", PASSWORD)})
    assert page.reads() == {401}, "another password ends what was begun with the one before"
    page.sign_in("bob")
    bob = identity.load(path)["bob"]
    identity.save(path, {"bob": msgspec.structs.replace(bob, role="analyst")})
    assert page.reads() == {403}
    identity.save(path, {})
    assert page.reads() == {401}


def test_a_session_is_a_persons_and_opens_what_their_role_may(page: Page) -> None:
    """One sign-in for all pages, and none of them lets in whom it would not."""
    page.sign_in("ann")
    known = page.client.get("/api/session").json()
    assert (known["name"], known["role"]) == ("ann", "compliance")
    ours = OURS | {PROOF: known["proof"]}
    resume = page.client.post("/api/resume", json={"reason": "x"}, headers=ours)
    assert resume.status_code == 401, "compliance does not add risk"
    assert page.client.post("/api/sign-out", headers=OURS).status_code == 200
    assert page.reads() == {401}, "signed out here and there"
    body = {"name": "eve", "password": PASSWORD}
    assert page.client.post("/api/sign-in", json=body, headers=OURS).status_code == 200
    assert page.reads() == {403}, "an admin's session opens nothing here"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", ""])
def test_another_site_signs_nobody_in_or_out(page: Page, origin: str) -> None:
    page.sign_in("ann")
    headers = {"Origin": origin} if origin else {}
    for path in ("sign-in", "sign-out"):
        answer = page.client.post(
            f"/compliance/api/{path}", json={"name": "ann", "password": PASSWORD}, headers=headers
        )
        assert answer.status_code == 403, path
    assert page.reads() == {200}


def test_a_foreign_host_gets_nothing(page: Page) -> None:
    page.sign_in("ann")
    for path in ("", "/api/calendar", "/file"):
        answer = page.client.get(f"/compliance{path}", headers={"Host": "evil.example"})
        assert answer.status_code == 400, path
