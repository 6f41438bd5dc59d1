import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core import credentials, durable, identity, trading_control
from execution.broker import manual_resolutions
from execution.broker.manual_resolutions import ManualResolution
from execution.risk import overrides
from execution.risk.overrides import Overrides

posix = pytest.mark.skipif(os.name != "posix", reason="folders are synced on POSIX only")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is synced and renamed, in order, by name."""
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def synced(file: int) -> None:
        done.append(f"sync {Path(os.readlink(f'/proc/self/fd/{file}')).name}")
        sync(file)

    def replaced(old: Path, new: Path) -> None:
        done.append(f"rename to {Path(new).name}")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    return done


def resolution(folder: Path) -> None:
    manual_resolutions.write(folder, ManualResolution("a1", "absent", "ann", "called", 5))


def halt(folder: Path) -> None:
    command = trading_control.ControlCommand("halted", "ann", "news", 5)
    trading_control.write(folder / "control.json", command)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("decisions.json", lambda folder: overrides.save(folder / "decisions.json", Overrides())),
        ("a1.json", resolution),
        ("control.json", halt),
        ("users.json", lambda folder: identity.save(folder / "users.json", {})),
        ("token", lambda folder: credentials.write_private(folder / "token", "x")),
        ("any", lambda folder: durable.write(folder / "any", b"x")),
    ],
)
def test_content_is_synced_before_the_rename_and_the_folder_after_it(
    tmp_path: Path, steps: list[str], name: str, save: Callable[[Path], None]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    save(folder)
    content, *rest = steps
    assert content.startswith(f"sync .{name}.")
    assert rest == [f"rename to {name}", "sync folder"]


def test_what_cannot_take_its_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(IsADirectoryError):
        durable.write(tmp_path / "taken", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@posix
def test_a_private_file_is_its_owners_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        durable.write(tmp_path / "secret", b"x", durable.PRIVATE)
        durable.write(tmp_path / "open", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o666


def test_of_two_makers_the_first_ones_file_stays(tmp_path: Path) -> None:
    assert durable.create(tmp_path / "key", b"first")
    assert not durable.create(tmp_path / "key", b"second")
    assert (tmp_path / "key").read_bytes() == b"first"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_takes_its_name_with_all_it_holds(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "file").write_bytes(b"x")
    durable.rename(tmp_path / "new", tmp_path / "done")
    assert (tmp_path / "done" / "file").read_bytes() == b"x"
    assert not (tmp_path / "new").exists()


def test_a_file_that_somebody_reads_is_replaced_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where a file that is open cannot be replaced."""
    refusals, replace = iter((True, True, False)), os.replace

    def sometimes(new: Path, path: Path) -> None:
        if next(refusals):
            raise PermissionError(13, "in use")
        replace(new, path)

    monkeypatch.setattr(durable, "_TRIES", 3)
    monkeypatch.setattr(os, "replace", sometimes)
    durable.write(tmp_path / "control.json", b"x")
    assert (tmp_path / "control.json").read_bytes() == b"x"
