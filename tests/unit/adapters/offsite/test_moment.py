"""A home's files of one moment, while somebody writes them all the time."""

import os
import threading
from pathlib import Path

import pytest

from adapters.offsite import moment
from adapters.offsite.moment import files_of_one_moment
from core.errors import UnavailableError


def grow(home: Path, stop: threading.Event) -> None:
    """As a desk does: the journal in place, then a log that grows, then a file that is replaced."""
    journal, log, state = home / "execution/a/journal", home / "account.log", home / "x.json"
    with journal.open("r+b") as file, log.open("ab", buffering=0) as lines:
        number = 0
        while not stop.wait(0.002):
            number += 1
            os.pwrite(file.fileno(), number.to_bytes(8), 8 * number)
            lines.write(number.to_bytes(8))
            beside = home / ".x.json.tmp"
            beside.write_bytes(number.to_bytes(8))
            beside.replace(state)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "execution/a").mkdir(parents=True)
    (home / "execution/a/journal").write_bytes(bytes(1 << 20))
    (home / "account.log").write_bytes(b"")
    (home / "x.json").write_bytes(bytes(8))
    return home


def test_what_is_taken_stood_so_at_one_moment(home: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    writer = threading.Thread(target=grow, args=(home, stop))
    writer.start()
    try:
        for n in range(5):
            with files_of_one_moment(home, tmp_path / f"beside-{n}") as files:
                read = {one.name: one.path.read_bytes()[: one.size] for one in files}
            log = read["home/account.log"]
            last = int.from_bytes(log[-8:]) if log else 0
            journal = read["home/execution/a/journal"]
            assert len(log) == 8 * last
            written = sum(any(journal[8 * k : 8 * k + 8]) for k in range(1, last + 3))
            assert 0 <= written - last <= 1
            assert 0 <= last - int.from_bytes(read["home/x.json"]) <= 1
    finally:
        stop.set()
        writer.join()
    assert list(tmp_path.glob("beside-*")) == []


def test_what_comes_from_elsewhere_or_passes_is_left_out(home: Path, tmp_path: Path) -> None:
    for name in ("warehouse/a", "bus/b", "run/c", "logs/d", "backups/e", "offsite.lock",
                 "execution/a/published.json", "models/.m.tmp", "audit.lock",
                 "account.claim"):  # fmt: skip
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    (home / "models").mkdir(exist_ok=True)
    (home / "models/m.onnx").write_text("m")
    (home / "link").symlink_to(home / "x.json")
    with files_of_one_moment(home, tmp_path / "beside") as files:
        assert [one.name for one in files] == [
            "home/account.log", "home/execution/a/journal", "home/models/m.onnx", "home/x.json",
        ]  # fmt: skip


def test_sealed_segments_are_linked_and_the_newest_is_copied(home: Path, tmp_path: Path) -> None:
    for name in ("journal", "journal.000002", "journal.000010"):
        path = home / "execution/a" / name
        path.write_text(name)
        os.utime(path, (1, 1))
    with files_of_one_moment(home, tmp_path / "beside") as files:
        links = {one.path.name: one.path.stat().st_nlink for one in files}
    assert links["journal"] == links["journal.000002"] == 2
    assert links["journal.000010"] == 1


def test_a_home_that_never_stands_still_is_said_to_be_so(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moment, "_TRIES", 3)
    same = moment._is_same

    def changes(path: Path, copy: Path) -> bool:
        with path.open("ab") as file:
            file.write(b"x")
        return same(path, copy)

    monkeypatch.setattr(moment, "_is_same", changes)
    with (
        pytest.raises(UnavailableError, match="stand still"),
        files_of_one_moment(home, tmp_path / "beside"),
    ):
        pass
    assert not (tmp_path / "beside").exists()
