"""Locks on files: alone, given up with their process, and a lock file names its holder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core import file_lock
from core.errors import BusyError

HOLDS = """
import sys
from pathlib import Path
from core import file_lock
assert file_lock.hold(Path(sys.argv[1])) is not None
print("held", flush=True)
sys.stdin.read()
"""


def test_who_waits_is_told_what_is_held_and_the_next_has_it(tmp_path: Path) -> None:
    path = tmp_path / "made" / "lock"
    with file_lock.locked(path):
        assert file_lock.is_held(path)
        with pytest.raises(BusyError, match="another process has held this lock"):
            file_lock.locked(path, 0.0).__enter__()
    assert not file_lock.is_held(path)
    with file_lock.locked(path, 0.0):
        pass


def test_a_lock_file_names_its_holder_and_dies_with_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    line = [sys.executable, "-c", HOLDS, str(path)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert file_lock.hold(path) is None
        assert file_lock.holder(path) == other.pid
        other.kill()
    held = file_lock.hold(path)
    assert held is not None
    assert file_lock.holder(path) == os.getpid()
    os.close(held)


def test_an_open_file_is_taken_once_whatever_stands_in_it(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b"records")
    first, second = (os.open(path, os.O_RDWR) for _ in range(2))
    assert file_lock.take(first, at=1 << 40)
    assert not file_lock.take(second, at=1 << 40)
    os.close(first)
    assert file_lock.take(second)
    os.close(second)
    assert path.read_bytes() == b"records"


def test_nobody_holds_what_is_not_there(tmp_path: Path) -> None:
    assert not file_lock.is_held(tmp_path / "lock")
