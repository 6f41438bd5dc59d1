"""What a home whose controls are signed says of exits that somebody changed in settings."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from cli.diagnostics.checks_controls import controls
from core import settings
from core.controls.approvals import exits_content
from core.sections import ExitSettings
from execution.risk.controls import problem_of
from surveillance.control_changes import ControlChanges
from tests.support.signed_desk import Desk
from tests.support.signed_home import DAY_US, SignedHome

SAID = "exits of the settings are not signed and not obeyed (trail_stops 3, where 2 holds)"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Exits were signed; then somebody edits the settings' file."""
    home = SignedHome(tmp_path)
    desk = Desk(home)
    wanted = replace(desk.settings, exits=ExitSettings(trail_stops=2.0))
    home.sign("exits", exits_content(wanted))
    home.wait(DAY_US)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tickhouse.toml").write_text("[exits]\ntrail_stops = 3.0\n")
    desk.settings = replace(desk.settings, exits=settings.load().exits)
    assert desk.settings.exits.trail_stops == 3.0
    return desk


def test_changed_exits_are_named_wherever_an_unsigned_edit_is(desk: Desk) -> None:
    verified = problem_of(desk.settings, desk.signed.clock)
    assert verified.startswith(f"{SAID}: those of entry 2 hold")
    [alert] = (
        a for a in ControlChanges(desk.settings, desk.signed.clock).alerts() if a.subject == "home"
    )
    assert alert.detail == verified
    with desk.start() as running:  # its health goes to the live page
        assert running.problem == verified


def test_doctor_names_them(desk: Desk) -> None:
    check = controls(desk.settings)  # by the machine's clock, whatever that says
    assert check.result == "failed"
    assert "exits of the settings are not signed and not obeyed" in check.found


def test_exits_as_they_were_signed_are_nothing_to_tell_of(desk: Desk) -> None:
    signed = replace(desk.settings, exits=ExitSettings(trail_stops=2.0))
    assert problem_of(signed, desk.signed.clock) == ""
    removed = replace(desk.settings, exits=ExitSettings())
    assert "trail_stops 0, where 2 holds" in problem_of(removed, desk.signed.clock)


def test_signed_exits_that_cannot_be_read_are_an_error_that_says_so(desk: Desk) -> None:
    desk.signed.sign("exits", b'{"trail_stop": 1.0}')
    desk.signed.wait(DAY_US)
    assert "signed exits, entry 3" in problem_of(desk.settings, desk.signed.clock)
