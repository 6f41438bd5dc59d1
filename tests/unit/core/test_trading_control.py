from pathlib import Path

import pytest

from cli.main import main
from core.clock import ManualClock
from core.errors import InputError
from core.trading_control import ControlCommand, current, halt, resume


def test_nobody_ever_halted(tmp_path: Path) -> None:
    assert current(tmp_path) is None


def test_the_last_word_holds(tmp_path: Path) -> None:
    home = tmp_path / "new home"
    halted = halt(home, "ann", "fat finger", ManualClock(5))
    assert (halted.heard, halted.unwritten) == (False, None)
    assert current(home) == halted.order
    resume(home, "bob", "checked", ManualClock(6))
    assert current(home) == ControlCommand("active", "bob", "checked", 6)
    left = {"control.json", "audit.log", "audit.lock", "version.json", "witness"}
    assert {path.name for path in home.iterdir()} == left


def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "control.json").write_text("{")
    with pytest.raises(InputError, match=r"control.json: damaged.*tickhouse halt"):
        current(tmp_path)


def test_halt_and_resume_work_with_everything_down(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    assert main(["halt", "--by", "ann", "--reason", "rumour"]) == 0
    halted = current(tmp_path)
    assert halted is not None
    assert (halted.state, halted.by, halted.reason) == ("halted", "ann", "rumour")
    assert "holds from the next start on" in capsys.readouterr().out
    assert main(["resume", "--by", "bob", "--reason", "denied"]) == 0
    resumed = current(tmp_path)
    assert resumed is not None
    assert resumed.state == "active"
    assert resumed.ts_us >= halted.ts_us
