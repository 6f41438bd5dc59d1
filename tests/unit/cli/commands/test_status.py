import json
from pathlib import Path

from cli.commands.status import DEGRADED, HEALTHY, NOT_RUNNING, Report, look
from cli.main import main
from core.settings import Settings


def report(**changes: object) -> Report:
    from cli.stack.running import RunningStack

    stack = RunningStack(1, "up", 0, "/s", {}, ())
    known = {
        "home": "/h",
        "stack": stack,
        "processes": {},
        "feeds": [],
        "trading": None,
        "problems": [],
    }
    return Report(**{**known, **changes})  # type: ignore[arg-type]


def test_exit_codes_tell_healthy_degraded_and_not_running() -> None:
    assert report().exit_code == HEALTHY
    assert report(problems=["bus is silent"]).exit_code == DEGRADED
    assert report(stack=None).exit_code == NOT_RUNNING


def test_a_home_that_does_not_exist_is_not_running(tmp_path: Path) -> None:
    found = look(Settings(home=str(tmp_path / "none")))
    assert found.exit_code == NOT_RUNNING
    assert not (tmp_path / "none").exists()


def test_json_is_one_object(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    assert main(["halt", "--by", "ann", "--reason", "rumour"]) == 0
    capsys.readouterr()
    assert main(["status", "--json"]) == NOT_RUNNING
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "not running"
    assert told["trading"]["by"] == "ann"
