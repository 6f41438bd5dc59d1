"""What a process takes from its home's session, and when it does not decide."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from core import session_note
from core.errors import SettingsError
from core.sections import RunSettings, SignalSettings
from core.session_note import SessionNote
from core.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    chosen = Settings(home=str(tmp_path), run=RunSettings(strategy="mine"))
    deciding = session_note.deciding(chosen)
    session_note.write(tmp_path, SessionNote("live-000003-abc", 3, deciding, "f" * 64))
    return chosen


def test_a_process_takes_up_the_session_of_its_home(settings: Settings) -> None:
    assert session_note.joined(settings).run.session_id == "live-000003-abc"


def test_what_it_was_given_counts_more(settings: Settings) -> None:
    given = replace(settings, run=replace(settings.run, session_id="live-000004-def"))
    assert session_note.joined(given) is given
    session_note.check(given, "another strategy")  # the note is of another start


@pytest.mark.parametrize("mode", ["replay", "backtest"])
def test_a_replays_messages_name_none(settings: Settings, mode: str) -> None:
    replayed = replace(settings, run=replace(settings.run, mode=mode))
    assert session_note.joined(replayed).run.session_id == ""
    started_by_up = replace(replayed, run=replace(replayed.run, session_id="live-000003-abc"))
    assert session_note.joined(started_by_up).run.session_id == ""


def test_without_a_note_or_with_a_damaged_one_there_is_none(settings: Settings) -> None:
    path = session_note.path_in(settings.home_path)
    path.write_bytes(path.read_bytes()[:-5])
    assert session_note.read(settings.home_path) is None
    path.unlink()
    assert session_note.joined(settings) is settings


def test_changed_since_the_start_it_does_not_decide(settings: Settings) -> None:
    joined = session_note.joined(settings)
    session_note.check(joined, "f" * 64)
    with pytest.raises(SettingsError, match="strategy mine was changed since session live-000003"):
        session_note.check(joined, "0" * 64)
    other = replace(joined, signals=SignalSettings(threshold=0.9))
    with pytest.raises(SettingsError, match="settings of features, signals, exits differ"):
        session_note.check(other, "f" * 64)
