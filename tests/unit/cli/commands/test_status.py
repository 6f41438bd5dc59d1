import json
from pathlib import Path

from cli.diagnostics.status import DEGRADED, HEALTHY, NOT_RUNNING, StackStatus, stack_status
from cli.main import main
from core.settings import Settings


def status(**changes: object) -> StackStatus:
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
    return StackStatus(**{**known, **changes})  # type: ignore[arg-type]


def test_exit_codes_tell_healthy_degraded_and_not_running() -> None:
    assert status().exit_code == HEALTHY
    assert status(problems=["bus is silent"]).exit_code == DEGRADED
    assert status(stack=None).exit_code == NOT_RUNNING


def test_a_home_that_does_not_exist_is_not_running(tmp_path: Path) -> None:
    stopped = stack_status(Settings(home=str(tmp_path / "none")))
    assert stopped.exit_code == NOT_RUNNING
    assert not (tmp_path / "none").exists()


def test_json_is_one_object(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    assert main(["halt", "--by", "ann", "--reason", "rumour"]) == 0
    capsys.readouterr()
    assert main(["status", "--json"]) == NOT_RUNNING
    printed = json.loads(capsys.readouterr().out)
    assert printed["status"] == "not running"
    assert printed["trading"]["by"] == "ann"
