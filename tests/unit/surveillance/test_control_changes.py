"""People hear of what raises risk, of what waits, and of files that nobody signed."""

from pathlib import Path

from core.clock import ManualClock
from core.sections import ControlSettings
from core.settings import Settings
from core.trading_control import ControlCommand, write
from execution.risk.controls import problem_of
from surveillance.control_changes import ControlChanges
from tests.support.signed_home import END_US, SignedHome


def test_alerts_of_signed_controls(tmp_path: Path) -> None:
    home = SignedHome(tmp_path)
    changes = ControlChanges(Settings(home=str(home.home), controls=home.settings), home.clock)
    assert changes.alerts() == []
    home.limits("max_lots = 0.5")  # lowers
    assert changes.alerts() == []
    entry = home.limits("max_lots = 2.0")
    [alert] = changes.alerts()
    assert (alert.control, alert.subject) == ("signed_control", str(entry.number))
    assert alert.detail == "limits by ann: test; waits a day"
    (home.home / "limits.toml").write_text('version = "e"\n[limits]\nmax_lots = 9.0\n')
    [alert] = changes.alerts()
    assert "limits.toml is not signed and not obeyed" in alert.detail
    assert changes.alerts() == []


def test_alerts_of_a_strategy_and_a_control_file_that_somebody_edited(tmp_path: Path) -> None:
    home = SignedHome(tmp_path, ("ann", "bob"), "firm")
    own = home.home / "strategies" / "mine.py"
    own.parent.mkdir()
    own.write_text("signed")
    home.approve(home.sign("strategy", b"signed", "ann", "mine", END_US).number, "bob")
    settings = Settings(home=str(home.home), controls=home.settings)
    changes = ControlChanges(settings, home.clock)
    changes.alerts()
    own.write_text("edited")
    [alert] = changes.alerts()
    assert f"{own}: not as strategy mine was signed (entry 2)" in alert.detail
    write(home.home / "control.json", ControlCommand("active", "eve", "go", 9))
    [alert] = changes.alerts()
    assert "control.json says active, which nobody signed" in alert.detail
    assert alert.detail == problem_of(settings, home.clock)
    own.write_text("signed")
    [alert] = changes.alerts()
    assert "mine" not in alert.detail


def test_a_home_without_users_has_no_signed_controls(tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text("no limits")
    controls = ControlSettings(trust=str(tmp_path.parent / "trust"))
    settings = Settings(home=str(tmp_path), controls=controls)
    assert ControlChanges(settings, ManualClock()).alerts() == []
