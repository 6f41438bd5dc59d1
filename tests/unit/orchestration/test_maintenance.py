"""Old backups go; the newest finished ones stay, and so does everything while there is none."""

from pathlib import Path

import msgspec
import pytest

from adapters.clickhouse.archive import BackupManifest
from orchestration.defs.maintenance import remove_old


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    manifest = msgspec.json.encode(BackupManifest("tickhouse", "2014-05-07T03:00:00Z", "26.9", {}))
    for day in range(1, 6):
        folder = tmp_path / f"2014050{day}T030000000000Z"
        folder.mkdir()
        if day != 3:  # that one was interrupted
            (folder / "manifest.json").write_bytes(manifest)
    return tmp_path


def left(folder: Path) -> list[str]:
    return sorted(path.name[7:8] for path in folder.iterdir())


def test_the_newest_finished_ones_stay(backups: Path) -> None:
    removed = remove_old(backups, kept=3)
    assert left(backups) == ["2", "4", "5"]
    assert [name[7:8] for name in removed] == ["3", "1"]
    assert remove_old(backups, kept=3) == []


def test_nothing_goes_when_all_are_kept_or_none_was_finished(backups: Path) -> None:
    assert remove_old(backups, kept=0) == []
    for manifest in backups.glob("*/manifest.json"):
        manifest.unlink()
    assert remove_old(backups, kept=1) == []
    assert left(backups) == ["1", "2", "3", "4", "5"]


def test_what_the_schedule_did_not_make_is_left_alone(backups: Path) -> None:
    others = {"home-20140501T030000000000Z", "offsite-1", "my copy", "20140501T03.tmp"}
    for name in others:
        (backups / name).mkdir()
    remove_old(backups, kept=1)
    assert {path.name for path in backups.iterdir()} == {*others, "20140505T030000000000Z"}
