"""Alerts answered on the page: what the command writes, by whoever may, and shown to everybody."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from core import identity
from core.audit_log import path_in, read
from core.clock import ManualClock
from dashboards.entrance.answers import PROOF, Entrance
from dashboards.entrance.sign_in import SignIn
from dashboards.live.alert_answers import AlertAnswers
from dashboards.live.controls import Controls
from dashboards.live.items import Items
from dashboards.live.standing_alerts import StandingAlerts
from surveillance import standing
from surveillance.firing import StandingAlert

S = 1_000_000
DRAWDOWN = StandingAlert("drawdown", "acc1", 0.08, 0.05, 50 * S, 80 * S, 80 * S)
SILENCE = {"rule": "drawdown", "subject": "acc1", "span": "8h", "reason": "known"}


class Desk:
    """A home where a drawdown fires, and its page."""

    def __init__(self, home: Path, *, is_real: bool = False) -> None:
        self.home, self.clock, self.items = home, ManualClock(100 * S), Items()
        standing.write_watched(home, {("drawdown", "acc1"): DRAWDOWN}, 100 * S)
        entrance = Entrance(SignIn(home, self.clock))
        answers = AlertAnswers(home, entrance, self.clock, is_real=is_real)
        controls = Controls(home, entrance, self.clock, lambda: False)
        self.alerts = StandingAlerts(home, self.clock, self.items)
        buttons = (controls.sign_in, answers.acknowledge, answers.silence)
        routes = [Route(f"/{button.__name__}", button, methods=["POST"]) for button in buttons]
        self.client = TestClient(Starlette(routes=routes))

    def press(self, button: str, body: dict[str, str], proof: str = "") -> tuple[int, str]:
        answer = self.client.post(f"/{button}", json=body, headers={PROOF: proof})
        return answer.status_code, answer.text

    def shown(self, key: str) -> dict[str, object] | None:
        self.alerts.show(self.alerts.read())
        value: dict[str, object] | None = self.items.get(key)
        return value


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    with opened.client:
        yield opened


def test_without_users_a_name_is_taken_as_given_and_kept(desk: Desk) -> None:
    key = f"alert|{DRAWDOWN.alert_id}"
    fires = desk.shown(key)
    assert fires is not None
    assert (fires["says"], fires["by"]) == ("8.0% below the day's peak", "")
    known = {"alert": DRAWDOWN.alert_id, "note": "reducing"}
    assert desk.press("acknowledge", known)[0] == 422
    assert desk.press("acknowledge", known | {"by": "ann"}) == (200, '{"by":"ann"}')
    answered = desk.shown(key)
    assert answered is not None
    assert (answered["by"], answered["note"]) == ("ann", "reducing")
    assert desk.press("silence", SILENCE | {"by": "bob"})[0] == 200
    silence = desk.shown("silence|drawdown acc1")
    assert silence is not None
    assert (silence["by"], silence["until"]) == ("bob", (100 + 8 * 3_600) * S)
    lines = [(line.actor, line.action) for line in read(path_in(desk.home))]
    assert lines == [("ann", "alert acknowledged"), ("bob", "alert silenced")]
    standing.write_watched(desk.home, {}, 200 * S)
    desk.clock.advance((101 + 8 * 3_600) * S)
    assert desk.shown(key) is None
    assert desk.shown("silence|drawdown acc1") is None


def test_where_there_are_users_whoever_answers_is_signed_in(desk: Desk) -> None:
    ann = identity.new_user("ann", "risk", "correct horse")
    eve = identity.new_user("eve", "analyst", "battery staple")
    identity.save(identity.path_in(desk.home), {"ann": ann, "eve": eve})
    known = {"alert": DRAWDOWN.alert_id, "by": "ann"}
    assert desk.press("acknowledge", known)[0] == 401
    assert desk.press("silence", SILENCE | {"by": "ann"})[0] == 401
    code, text = desk.press("sign_in", {"name": "eve", "password": "battery staple"})
    assert (code, "role analyst" in text) == (403, True)
    _, text = desk.press("sign_in", {"name": "ann", "password": "correct horse"})
    proof = json.loads(text)["proof"]
    assert desk.press("acknowledge", known | {"by": "eve"}, proof) == (200, '{"by":"ann"}')
    assert desk.press("silence", SILENCE, proof)[0] == 200
    details = [json.loads(line.detail)["authenticated"] for line in read(path_in(desk.home))]
    assert details == [True, True]
    assert desk.press("acknowledge", known, "another")[0] == 401


@pytest.mark.parametrize(
    ("button", "body"),
    [
        ("acknowledge", {"alert": "drawdown.acc2.1", "by": "ann"}),
        ("acknowledge", {"by": "ann"}),
        ("silence", SILENCE | {"by": "ann", "span": "8d"}),
        ("silence", SILENCE | {"by": "ann", "span": "for ever"}),
        ("silence", SILENCE | {"by": "ann", "rule": "weather"}),
        ("silence", SILENCE | {"by": "ann", "reason": " "}),
    ],
)
def test_nonsense_answers_nothing_and_is_explained(
    desk: Desk, button: str, body: dict[str, str]
) -> None:
    code, text = desk.press(button, body)
    assert code == 422
    assert json.loads(text)["error"]
    assert standing.read_answers(desk.home) == standing.Answers()


def test_with_a_real_terminal_nobody_is_believed_without_a_login(tmp_path: Path) -> None:
    desk = Desk(tmp_path, is_real=True)
    with desk.client:
        assert desk.press("silence", SILENCE | {"by": "ann"})[0] == 403


def test_damaged_files_are_said_and_the_page_goes_on(desk: Desk) -> None:
    standing.watched_path(desk.home).write_bytes(b"{")
    problem = desk.shown("alerts")
    assert problem is not None
    assert "remove it to begin anew" in str(problem["problem"])
    assert desk.shown(f"alert|{DRAWDOWN.alert_id}") is None
