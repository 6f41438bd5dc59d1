"""The rules with the warehouse away, over restarts, and with files that say nonsense."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from cli.main import main
from core import checked_json, settings
from core.audit_log import path_in, read
from core.clock import ManualClock
from core.errors import InputError
from surveillance import evaluator as evaluator_module
from surveillance import standing
from surveillance.evaluator import Evaluator
from surveillance.firing import Change
from tests.support.silent_server import SilentServer

S = 1_000_000


@pytest.fixture
def away(tmp_path: Path) -> Iterator[settings.Settings]:
    """Settings of a home whose warehouse refuses connections."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can be there
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        loaded = settings.load({"TICKHOUSE_HOME": str(tmp_path)})
        yield replace(loaded, clickhouse=replace(loaded.clickhouse, url=url))


def test_a_warehouse_that_is_away_is_itself_an_alert(away: settings.Settings) -> None:
    clock, changes = ManualClock(0), list[Change]()
    evaluator = Evaluator(away, clock, changes.append)
    for second in (5, 30):
        clock.advance(second * S)
        evaluator.turn()
    assert changes == []  # no longer than a process may be silent
    clock.advance(35 * S)
    evaluator.turn()
    assert [(c.kind, c.alert.rule, c.alert.value) for c in changes] == [("fired", "blind", 35)]
    again = Evaluator(away, clock, changes.append)  # restarted: it is not told anew
    clock.advance(71 * S)
    again.turn()
    assert len(changes) == 1
    (value, limit) = again.collect()
    assert [(s.labels, s.value) for s in value.samples] == [
        ({"rule": "blind", "subject": "warehouse"}, 36)
    ]
    assert {"rule": "drawdown"} in [s.labels for s in limit.samples]


def test_a_warehouse_that_hangs_keeps_no_alert_waiting(
    away: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluator_module, "_ANSWER_S", 1)
    clock, changes = ManualClock(0), list[Change]()
    with SilentServer() as server:
        url = f"http://127.0.0.1:{server.port}"
        hung = replace(away, clickhouse=replace(away.clickhouse, url=url))
        evaluator = Evaluator(hung, clock, changes.append)
        clock.advance(35 * S)
        evaluator.turn()
    assert [(c.kind, c.alert.rule) for c in changes] == [("fired", "blind")]


def test_people_answer_by_command(
    away: settings.Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = away.home_path
    monkeypatch.setenv("TICKHOUSE_HOME", str(home))
    assert main(["alerts"]) == 0
    assert "No rule was evaluated yet" in capsys.readouterr().out
    clock, changes = ManualClock(0), list[Change]()
    evaluator = Evaluator(away, clock, changes.append)
    clock.advance(40 * S)
    evaluator.turn()
    assert main(["alerts"]) == 1
    assert "Rules not evaluated: warehouse" in capsys.readouterr().out.replace("\n", " ")
    name = changes[0].alert.alert_id
    assert main(["alerts", "acknowledge", name, "--by", "ann", "--note", "on it"]) == 0
    clock.advance(60_000 * S)
    evaluator.turn()
    assert len(changes) == 1  # acknowledged: no reminder
    assert standing.read_watched(home).alerts[0].acknowledged_by == "ann"
    silence = ["alerts", "silence", "blind", "--by", "ann", "--reason", "moving house"]
    assert main([*silence, "--for", "9d"]) == 2
    assert main([*silence, "--for", "never"]) == 2
    assert main([*silence, "--for", "2d"]) == 0
    assert "Silenced until" in capsys.readouterr().out
    assert main(["alerts", "acknowledge", "nonsense", "--by", "ann"]) == 2
    assert main(["alerts", "silence", "nonsense", *silence[3:], "--for", "2d"]) == 2
    actions = [(event.actor, event.action) for event in read(path_in(home))]
    assert actions == [("ann", "alert acknowledged"), ("ann", "alert silenced")]


def test_words_that_cannot_be_read_silence_nothing(away: settings.Settings) -> None:
    path = standing.answers_path(away.home_path)
    path.write_bytes(checked_json.encode(standing.Answers())[:-3] + b"\xff")
    with pytest.raises(InputError, match=str(path)):
        standing.read_answers(away.home_path)
    clock, changes = ManualClock(0), list[Change]()
    evaluator = Evaluator(away, clock, changes.append)
    clock.advance(40 * S)
    evaluator.turn()
    assert [change.silenced for change in changes] == [False]
