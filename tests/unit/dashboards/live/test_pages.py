"""Who may press what: origins, hosts, proofs and cookies."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core import identity
from core.clock import SystemClock
from core.sections import ClickhouseSettings, RuleSettings, RunSettings
from core.trading_control import current
from dashboards.entrance.answers import PROOF, Entrance
from dashboards.entrance.sign_in import SignIn
from dashboards.live import pages
from dashboards.live.alert_answers import AlertAnswers
from dashboards.live.controls import Controls
from dashboards.live.feed_regimes import FeedRegimes, changes
from dashboards.live.items import Items
from dashboards.live.older_bars import OlderBars
from dashboards.live.viewers import Viewers
from surveillance.alert import runbook
from surveillance.rules import EVERY

HERE = "http://127.0.0.1:8050"
OURS = {"Origin": HERE}
SOCKET = "ws://127.0.0.1:8050/live"
HALT = {"by": "ann", "reason": "news"}
FOREIGN = [
    "https://evil.example",
    "http://127.0.0.1:9999",
    "null",
    "http://127.0.0.1:8050.evil.example",
]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[TestClient]:
    clock = SystemClock()
    items = Items()
    items.put("quote|a", 1)
    entrance = Entrance(SignIn(tmp_path, clock))
    controls = Controls(tmp_path, entrance, clock, (tmp_path / "signed").exists)
    alerts = AlertAnswers(tmp_path, entrance, clock, is_real=False)
    older = OlderBars(ClickhouseSettings(url="http://127.0.0.1:9"))
    application = pages.application(
        Viewers(items, most=1),
        controls,
        alerts,
        older.answer,
        older.answer,
        older.answer,
        FeedRegimes(ClickhouseSettings(url="http://127.0.0.1:9"), RunSettings()).answer,
    )
    with TestClient(application, HERE) as client:
        yield client


@pytest.fixture
def users(tmp_path: Path) -> None:
    ann = identity.new_user("ann", "admin", "correct horse")
    identity.save(identity.path_in(tmp_path), {"ann": ann})


def sign_in(page: TestClient) -> dict[str, str]:
    answer = page.post(
        "/api/sign-in", json={"name": "ann", "password": "correct horse"}, headers=OURS
    )
    assert answer.status_code == 200, answer.text
    return OURS | {PROOF: answer.json()["proof"]}


def test_the_page_loads_nothing_from_elsewhere(page: TestClient) -> None:
    answer = page.get("/")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    for name in ("live.js", "live.css"):
        assert f"/{name}" in answer.text
        assert page.get(f"/{name}").status_code == 200
    assert page.get("/../controls.py").status_code == 404


def test_without_the_packages_of_reports_the_room_says_so(page: TestClient) -> None:
    for answer in (page.get("/compliance/api/session"), page.post("/compliance/api/sign-in")):
        assert answer.status_code == 503
        assert "with its extra server" in answer.json()["error"]


def test_every_alert_leads_to_its_runbook(page: TestClient) -> None:
    text = page.get("/runbooks").text
    assert "<script" not in text
    for rule in EVERY:
        address = runbook(rule.title, RuleSettings(page="https://desk.example/"))
        assert address.startswith("https://desk.example/runbooks#")
        assert f'id="{address.partition("#")[2]}"' in text


def test_a_foreign_name_for_this_host_is_refused(page: TestClient) -> None:
    assert page.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_halting_needs_no_login(page: TestClient, tmp_path: Path) -> None:
    answer = page.post("/api/halt", json=HALT | {"positions": "flatten"}, headers=OURS)
    assert answer.json() == {"heard": False, "unwritten": ""}
    order = current(tmp_path)
    assert order is not None
    assert (order.state, order.by, order.positions) == ("halted", "ann", "flatten")


@pytest.mark.parametrize("origin", [*FOREIGN, ""])
@pytest.mark.parametrize(
    "path", ["halt", "sign-in", "sign-out", "resume", "alerts/acknowledge", "alerts/silence"]
)
def test_another_site_presses_nothing(
    page: TestClient, tmp_path: Path, origin: str, path: str
) -> None:
    headers = {"Origin": origin} if origin else {}
    assert page.post(f"/api/{path}", json=HALT, headers=headers).status_code == 403
    assert current(tmp_path) is None


def test_a_form_of_another_kind_presses_nothing(page: TestClient, tmp_path: Path) -> None:
    headers = OURS | {"Content-Type": "text/plain"}
    assert page.post("/api/halt", content=json.dumps(HALT), headers=headers).status_code == 415
    assert current(tmp_path) is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", 422),
        (b'{"by": "ann"}', 422),
        (b'{"by": " ", "reason": "x"}', 422),
        (b'{"by": "ann", "reason": "x", "more": 1}', 422),
        (b'{"by": "ann", "reason": "x", "positions": "double"}', 422),
        (b'{"by": "ann", "reason": "' + b"x" * 9000 + b'"}', 413),
    ],
)
def test_nonsense_halts_nothing_and_is_explained(
    page: TestClient, tmp_path: Path, body: bytes, code: int
) -> None:
    headers = OURS | {"Content-Type": "application/json"}
    answer = page.post("/api/halt", content=body, headers=headers)
    assert answer.status_code == code
    assert answer.json()["error"]
    assert current(tmp_path) is None


def test_the_page_says_where_files_are_obeyed(page: TestClient, tmp_path: Path) -> None:
    assert "files here, obeyed as they lie" in page.get("/").text
    (tmp_path / "signed").touch()
    answer = page.get("/")
    assert "obeyed" not in answer.text
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.usefixtures("users")
def test_where_controls_are_signed_the_page_halts_and_does_not_resume(
    page: TestClient, tmp_path: Path
) -> None:
    (tmp_path / "signed").touch()
    page.post("/api/halt", json=HALT, headers=OURS)
    answer = page.post("/api/resume", json={"reason": "x"}, headers=sign_in(page))
    assert (answer.status_code, "tickhouse resume" in answer.text) == (403, True)
    halted = current(tmp_path)
    assert halted is not None
    assert halted.state == "halted"


@pytest.mark.usefixtures("users")
def test_resuming_needs_cookie_and_proof(page: TestClient, tmp_path: Path) -> None:
    page.post("/api/halt", json=HALT, headers=OURS)
    assert page.post("/api/resume", json={"reason": "x"}, headers=OURS).status_code == 401
    proof = sign_in(page)
    assert page.post("/api/resume", json={"reason": "x"}, headers=OURS).status_code == 401
    assert page.post("/api/resume", json={"reason": " "}, headers=proof).status_code == 422
    assert page.post("/api/resume", json={"reason": "checked"}, headers=proof).json() == {
        "by": "ann"
    }
    order = current(tmp_path)
    assert order is not None
    assert (order.state, order.by, order.reason) == ("active", "ann", "checked")
    line = json.loads((tmp_path / "audit.log").read_text().splitlines()[-1])
    assert (line["actor"], line["action"], line["reason"]) == ("ann", "resume", "checked")
    assert json.loads(line["detail"])["authenticated"] is True
    page.post("/api/sign-out", headers=proof)
    assert page.post("/api/resume", json={"reason": "x"}, headers=proof).status_code == 401


@pytest.mark.usefixtures("users")
def test_the_cookie_is_for_us_alone(page: TestClient) -> None:
    answer = page.post(
        "/api/sign-in", json={"name": "ann", "password": "correct horse"}, headers=OURS
    )
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.usefixtures("users")
def test_guessing_is_slowed(page: TestClient) -> None:
    codes = []
    for _ in range(3):
        answer = page.post("/api/sign-in", json={"name": "ann", "password": "guess"}, headers=OURS)
        codes.append(answer.status_code)
    assert codes == [403, 429, 429]
    assert int(answer.headers["retry-after"]) >= 1


def test_without_users_nobody_resumes(page: TestClient) -> None:
    answer = page.post("/api/sign-in", json={"name": "ann", "password": ""}, headers=OURS)
    assert answer.status_code == 403
    assert "tickhouse users add" in answer.json()["error"]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_websocket_is_refused(page: TestClient, origin: str) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        page.websocket_connect(SOCKET, headers={"Origin": origin}),
    ):
        pass


def test_a_viewer_gets_the_picture_and_one_too_many_is_sent_away(page: TestClient) -> None:
    with page.websocket_connect(SOCKET, headers=OURS) as viewer:
        assert json.loads(viewer.receive_bytes()) == [{"k": "quote|a", "v": 1}]
        with page.websocket_connect(SOCKET, headers=OURS) as other:
            with pytest.raises(WebSocketDisconnect) as refused:
                other.receive_bytes()
            assert refused.value.code == 1013


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("feed=sim/EURUSD&span=60&before=1&count=5", 503),  # no warehouse
        ("feed=sim/EURUSD&span=7&before=1&count=5", 400),
        ("feed=sim/EURUSD&span=60&before=now&count=5", 400),
        ("", 400),
    ],
)
def test_older_candles_are_asked_for_by_span_and_time(
    page: TestClient, query: str, status: int
) -> None:
    answer = page.get(f"/api/bars?{query}")
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("asked_for", "status"), [("feed=sim/EURUSD", 503), ("feed=sim", 400), ("", 400)]
)
def test_regimes_of_a_feed_need_its_name_and_the_warehouse(
    page: TestClient, asked_for: str, status: int
) -> None:
    answer = page.get(f"/api/regimes?{asked_for}")
    assert (answer.status_code, bool(answer.json()["error"])) == (status, True)


def test_a_ribbon_is_told_where_a_regime_begins() -> None:
    rows = [(900, "calm"), (1800, "calm"), (2700, "wild"), (3600, "calm")]
    assert changes(rows) == [rows[0], *rows[2:]]
    assert changes([]) == []
