"""`tickhouse report`: breaks, owners and filing by command, as the page does by click."""

import io
from pathlib import Path

import pytest

from cli.main import main
from core.settings import Settings
from reports import breaks, build
from tests.support import compliance_room as room
from tests.support.compliance_room import PASSWORD

ON = ("--date", "2026-03-02")


class Home:
    """A home with a version, whose people type their passwords."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("TICKHOUSE_HOME", str(path))
        room.with_users(path)
        self.settings = Settings(home=str(path))
        self.version = room.version(self.settings, breaks=("warning",))

    def report(self, *words: str, password: str = PASSWORD) -> int:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
        return main(["report", *words, *ON])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


def test_a_break_is_listed_assigned_resolved_and_reopened(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    [one] = breaks.breaks(home.settings.home_path, home.version)
    begins, by = one.break_id[:6], ("--by", "ann")
    assert home.report("breaks", "rts22") == 0
    assert one.break_id in capsys.readouterr().out
    assert home.report("assign", "rts22", begins, *by, "--owner", "bob") == 0
    assert home.report("assign", "rts22", begins, *by, "--owner", "stranger") != 0
    assert home.report("resolve", "rts22", begins, *by) != 0, "without a reason"
    assert home.report("resolve", "rts22", begins, *by, "--reason", "renewed") == 0
    assert home.report("reopen", "rts22", begins, *by, "--reason", "x", password="wrong") != 0
    assert home.report("reopen", "rts22", begins, *by, "--reason", "not so") == 0
    [now] = breaks.breaks(home.settings.home_path, home.version)
    assert (now.owner, now.work.resolution, len(now.work.notes)) == ("bob", "", 3)


def test_a_compliance_user_signs_and_files_what_another_released(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert home.report("filed", "rts22", "--by", "ann", "--reference", "R1") != 0
    assert home.report("sign", "rts22", "--by", "ann") == 0
    assert home.report("release", "rts22", "--by", "ann") != 0
    assert home.report("release", "rts22", "--by", "bob") == 0
    assert home.report("filed", "rts22", "--by", "ann", "--reference", "R1") == 0
    filed = home.version.sign_off("filed")
    assert filed is not None
    assert (filed.by, filed.reason) == ("ann", "R1")
    assert main(["report", "list"]) == 0
    assert "rts22 v1: filed by ann, R1" in capsys.readouterr().out
    assert build.base_of(home.settings) in home.version.folder.parents


@pytest.mark.parametrize(
    "words", [("assign", "rts22"), ("breaks",), ("filed", "nonsense"), ("breaks", "../rts22")]
)
def test_what_is_not_understood_is_an_error(home: Home, words: tuple[str, ...]) -> None:
    assert home.report(*words) != 0
