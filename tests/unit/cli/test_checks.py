from pathlib import Path

import pytest

from cli.diagnostics import checks_machine, checks_stack
from cli.stack.process_state import ProcessState
from core.sections import OrchestrationSettings
from core.settings import Settings


def state(log: Path, **changes: object) -> ProcessState:
    known = {
        "name": "bus",
        "state": "running",
        "pid": 9,
        "uptime_s": 100,
        "restarts": 0,
        "exit_code": 0,
        "health": "ready",
        "detail": "",
        "log": str(log),
    }
    return ProcessState(**{**known, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("version", "result"), [((3, 12), "ok"), ((3, 13), "failed")])
def test_python_must_be_one_with_wheels(version: tuple[int, ...], result: str) -> None:
    assert checks_machine.python_version(version).result == result


@pytest.mark.parametrize(
    ("name", "version", "result"),
    [("glibc", "2.31", "ok"), ("glibc", "2.28", "failed"), ("", "", "failed")],
)
def test_glibc_must_be_new_enough(name: str, version: str, result: str) -> None:
    check = checks_machine.glibc(name, version)
    assert check.result == result
    assert bool(check.remedy) == (result == "failed")


def test_a_clock_of_the_past_fails() -> None:
    assert checks_machine.clock(0.0).result == "failed"


def test_a_home_that_cannot_be_made_fails_with_a_remedy() -> None:
    check = checks_machine.home_writable(Path("/proc/tickhouse"))
    assert check.result == "failed"
    assert "TICKHOUSE_HOME" in check.remedy


def test_programs_that_do_not_run_fail(tmp_path: Path) -> None:
    assert checks_machine.nats_server(tmp_path / "nats-server").result == "failed"


def test_programs_that_run_pass() -> None:
    assert checks_machine.packages().result == "ok"
    assert checks_machine.chdb_loads().result == "ok"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "fatal", "pid": 0, "health": ""},
        {"state": "backoff", "pid": 0, "health": ""},
        {"restarts": 5, "uptime_s": 4},
    ],
)
def test_a_crash_loop_fails_and_tells_the_last_words(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    log = tmp_path / "bus.log"
    log.write_text("started\nno space left on device\n")
    check = checks_stack.process(state(log, **changes))
    assert check.result == "failed"
    assert "no space left on device" in check.remedy
    assert str(log) in check.remedy


def test_a_process_restarted_long_ago_is_well(tmp_path: Path) -> None:
    check = checks_stack.process(state(tmp_path / "x", restarts=5, uptime_s=4000))
    assert check.result == "ok"


def test_schedules_say_whether_dagster_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks_stack.schedules(Settings()).result == "ok"
    monkeypatch.setattr("orchestration.instance.NEEDS", ("dagster", "no_such_package"))
    missing = checks_stack.schedules(Settings())
    assert (missing.result, missing.found) == ("warning", "not installed: no_such_package")
    assert "make install-orchestration" in missing.remedy
    off = Settings(orchestration=OrchestrationSettings(enabled=False))
    assert checks_stack.schedules(off).result == "ok"
