import os
import re
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from cli import main as cli

_ROOT = Path(__file__).parents[3]


def tickhouse(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        capture_output=True,
        text=True,
        cwd=environment.get("TICKHOUSE_HOME", _ROOT),
        env={**os.environ, "PYTHONPATH": str(_ROOT), **environment},
        timeout=60,
    )


def test_help_lists_exactly_the_commands_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    text = capsys.readouterr().out
    for name, command in cli.COMMANDS.items():
        listed = re.search(rf"^    {name}\s", text, re.M) is not None
        assert listed == (find_spec(command.module) is not None)


def test_an_unknown_setting_is_one_clear_line_without_a_traceback(tmp_path: Path) -> None:
    done = tickhouse("status", TICKHOUSE_HOME=str(tmp_path), TICKHOUSE_RUN__MODES="live")
    assert done.returncode == cli.FAILED
    assert done.stderr.count("\n") == 1
    assert "TICKHOUSE_RUN__MODES" in done.stderr
    assert "did you mean 'mode'?" in done.stderr


def test_debug_shows_where_an_error_came_from(tmp_path: Path) -> None:
    done = tickhouse("--debug", "status", TICKHOUSE_HOME=str(tmp_path), TICKHOUSE_RUN__X="1")
    assert "Traceback" in done.stderr


def test_an_unknown_command_is_refused_with_the_known_ones() -> None:
    done = tickhouse("stauts")
    assert done.returncode == 2
    assert "status" in done.stderr


@pytest.mark.parametrize("words", ["report list", "instruments"])  # by print, by rich
def test_a_reader_that_has_read_enough_is_no_error(tmp_path, words):
    piped = f"{sys.executable} -u -m cli.main {words} | true; exit ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "TICKHOUSE_HOME": str(tmp_path)}
    ended = subprocess.run(
        ["bash", "-c", piped],
        env=environment,
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.returncode in {0, 1, cli.CLOSED}  # 0: it was quicker; 1: rich says so


def test_an_interrupt_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "cli.commands.status.stack_status", lambda _: signal.raise_signal(signal.SIGINT)
    )
    # What a shell starts in the background ignores it, and so would Python.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert cli.main(["status"]) == cli.INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, before)


def test_halt_needs_a_name_and_a_reason(tmp_path: Path) -> None:
    done = tickhouse("halt", "--by", "ann", TICKHOUSE_HOME=str(tmp_path))
    assert done.returncode == 2
    assert "--reason" in done.stderr
    assert not (tmp_path / "control.json").exists()


def test_doctor_tells_wrong_settings_among_its_checks(tmp_path: Path) -> None:
    done = tickhouse("doctor", TICKHOUSE_HOME=str(tmp_path), TICKHOUSE_RUN__MODES="live")
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "settings" in done.stdout
