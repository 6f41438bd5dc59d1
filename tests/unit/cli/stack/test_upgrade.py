"""A home of the version before is copied whole, taken over, and can go back; killed anywhere."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from cli.main import main
from cli.stack import upgrade
from cli.stack.home_lock import HomeLock
from core import audit_log, home_version
from core.audit_log import AuditLine
from core.errors import InputError, SettingsError
from execution.journal import journal
from execution.journal.journal import Journal
from tests.support import traded_journal

NEWER = b'{"layout":99,"product":"7.1.0"}'
LINE = AuditLine(1, "ann", authenticated=True, action="halt", detail="")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """As the version before left one."""
    folder = tmp_path / "home"
    part = folder / "warehouse" / "engine" / "store" / "abc" / "all_1_1_0"
    part.mkdir(parents=True)
    (part / "data.bin").write_bytes(b"rows")
    (folder / "warehouse" / "engine" / "link").symlink_to("store")
    (folder / "models").mkdir()
    (folder / "models" / "champion.json").write_text("{}")
    opened = Journal(folder / "execution" / "acc1" / "journal", 65_536)
    traded_journal.write(opened, 1, 3)
    opened.close()
    (folder / "run").mkdir()
    (folder / "audit.log").write_text("")
    return folder


def content(home: Path) -> dict[str, bytes]:
    left_out = ("backups", "run", "version.json", "upgrade.json", "home.json")
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.relative_to(home).parts[0] not in left_out
    }


def test_a_home_of_the_version_before_is_copied_then_taken_over(home: Path) -> None:
    before = content(home)
    taking = upgrade.begin(home)
    assert taking is not None
    assert taking.came_from == home_version.BEFORE
    assert content(Path(taking.copy)) == before == content(home)
    rows = Path(taking.copy) / "warehouse" / "engine" / "store" / "abc" / "all_1_1_0" / "data.bin"
    assert rows.stat().st_nlink == 2  # no space for what never changes
    own = Path(taking.copy) / "execution" / "acc1" / "journal"
    assert own.stat().st_nlink == 1
    upgrade.finish(home)
    assert upgrade.begin(home) is None
    assert home_version.of(home) == home_version.HomeVersion(
        home_version.LAYOUT, home_version.product()
    )
    assert len(list((home / "backups").iterdir())) == 1


def test_a_new_home_is_of_this_version_and_nothing_is_copied(tmp_path: Path) -> None:
    assert upgrade.begin(tmp_path / "home") is None
    assert [p.name for p in (tmp_path / "home").iterdir()] == ["version.json"]


@pytest.mark.parametrize("first", ["a lock", "an audit line"])
def test_what_another_command_began_is_of_this_version_and_no_upgrade(
    tmp_path: Path, first: str
) -> None:
    home = tmp_path / "home"
    if first == "a lock":  # a replay's, which then makes a warehouse
        HomeLock(home).acquire().release()
        (home / "warehouse").mkdir()
    else:
        audit_log.append(home, LINE)
    assert home_version.of(home) == home_version.HomeVersion(
        home_version.LAYOUT, home_version.product()
    )
    assert upgrade.begin(home) is None
    assert not (home / "backups").exists()


def test_a_lock_or_a_line_leaves_a_home_of_before_to_the_upgrade(home: Path) -> None:
    HomeLock(home).acquire().release()
    audit_log.append(home, LINE)
    assert home_version.of(home) == home_version.HomeVersion(1, home_version.BEFORE)


def test_the_way_back_leads_to_the_home_as_it_was(home: Path) -> None:
    before = content(home)
    taking = upgrade.begin(home)
    upgrade.finish(home)
    assert taking
    (home / "models" / "champion.json").write_text("{other}")
    (home / "new").mkdir()
    (home / "new" / "file").write_text("of the new version")
    upgrade.bring_back(home, Path(taking.copy))
    assert content(home) == before
    assert home_version.of(home) == home_version.HomeVersion(1, home_version.BEFORE)
    assert upgrade.begin(home) is not None  # and taken over again


def test_orders_since_the_copy_are_not_forgotten_in_silence(home: Path) -> None:
    taking = upgrade.begin(home)
    upgrade.finish(home)
    assert taking
    opened = Journal(home / "execution" / "acc1" / "journal", 65_536)
    traded_journal.write(opened, 4, 4)
    opened.close()
    with pytest.raises(InputError, match="acc1 has 11 records since it was copied"):
        upgrade.bring_back(home, Path(taking.copy))
    upgrade.bring_back(home, Path(taking.copy), replace=True)
    assert len(list(journal.events(home / "execution" / "acc1" / "journal"))) == 24


def test_a_home_of_a_newer_version_is_refused_with_both_versions(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "version.json").write_bytes(NEWER)
    before = content(home)
    with pytest.raises(SettingsError, match=r"taken over by Tickhouse 7\.1\.0, and this is "):
        upgrade.begin(home)
    monkeypatch.setenv("TICKHOUSE_HOME", str(home))
    for words in (["up"], ["status"], ["sessions"], ["orders", "list"]):
        assert main(words) != 0
        assert f"this is {home_version.product()}" in " ".join(capsys.readouterr().err.split())
    assert content(home) == before


def test_a_version_that_cannot_be_read_is_told_with_its_remedy(home: Path) -> None:
    (home / "version.json").write_bytes(b"{}")
    with pytest.raises(SettingsError, match=r"version\.json.*bring it back from a backup"):
        upgrade.begin(home)


PROGRAM = """
import sys
from pathlib import Path
from cli.stack import upgrade
from cli.stack.home_lock import HomeLock
from core import crashpoint
home = Path(sys.argv[1])
crashpoint.arm_for(sys.argv[2].split(".")[0], sys.argv[2], home / "run")
if len(sys.argv) > 3:
    upgrade.bring_back(home, Path(sys.argv[3]))
else:
    upgrade.begin(home)
    upgrade.finish(home)
"""


def life(*words: str) -> int:
    line = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode in (0, -9), done.stderr
    return done.returncode


@pytest.mark.process
@pytest.mark.parametrize("place", ["noted", "copying", "copied", "migrated", "written"])
def test_killed_at_any_step_it_goes_on_and_the_copy_is_of_the_home_as_it_was(
    home: Path, place: str
) -> None:
    before = content(home)
    assert life(str(home), f"up.upgrade.{place}:1") == -9
    assert life(str(home), f"up.upgrade.{place}:1") == 0
    of = home_version.of(home)
    assert of is not None
    assert of.layout == home_version.LAYOUT
    assert upgrade.under_way(home) is None
    [copy] = (home / "backups").iterdir()
    assert content(copy) == before
    assert upgrade.is_copy(copy)


@pytest.mark.process
@pytest.mark.parametrize("place", ["noted", "removed", "copied"])
def test_killed_on_the_way_back_it_goes_back_and_up_says_so(home: Path, place: str) -> None:
    before, taking = content(home), upgrade.begin(home)
    upgrade.finish(home)
    assert taking
    assert life(str(home), f"restore.home.{place}:1", taking.copy) == -9
    with pytest.raises(SettingsError, match=r"run `tickhouse restore .*home-.*` again"):
        upgrade.begin(home)
    assert life(str(home), f"restore.home.{place}:1", taking.copy) == 0
    assert content(home) == before


def test_a_copy_for_which_there_is_no_space_leaves_the_home_as_it_was(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(home)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("shutil.copy2", full)
        with pytest.raises(OSError, match="No space left"):
            upgrade.begin(home)
    assert content(home) == before
    assert upgrade.begin(home) is not None
    assert [upgrade.is_copy(copy) for copy in (home / "backups").iterdir()] == [True]


def test_the_note_of_what_goes_on_names_both_versions(home: Path) -> None:
    upgrade.begin(home)
    note = msgspec.json.decode((home / "upgrade.json").read_bytes())
    assert note["came_from"] == home_version.BEFORE
    assert note["to"] == home_version.product()
