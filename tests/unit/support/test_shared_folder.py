"""What a run makes once: by one of its processes, whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import shared_folder
from tests.support.warehouse_server import ROOT

_MAKES = """
import os
from tests.support import shared_folder

def make(folder):
    (folder / f"by {os.getpid()}").touch()

print(*(path.name for path in shared_folder.once("thing", make).iterdir()))
"""


def test_of_processes_that_begin_together_one_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTS_SHARED_FOLDER", str(tmp_path))
    line = [sys.executable, "-c", _MAKES]
    started = [
        subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = {process.communicate(timeout=120)[0] for process in started}
    assert len(said) == 1
    assert said.pop().startswith("by ")


def test_what_was_not_made_to_its_end_is_made_anew(tmp_path: Path) -> None:
    name = f"half of {tmp_path.name}"

    def fails(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        shared_folder.once(name, fails)
    place = shared_folder.once(name, lambda folder: (folder / "whole").touch())
    assert [path.name for path in place.iterdir()] == ["whole"]


def test_whoever_finds_a_folder_named_shares_that_and_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TESTS_SHARED_FOLDER")
    with shared_folder.shared():
        first = os.environ["TESTS_SHARED_FOLDER"]
        with shared_folder.shared():
            assert os.environ["TESTS_SHARED_FOLDER"] == first
        assert Path(first).is_dir()
    assert not Path(first).exists()
    assert "TESTS_SHARED_FOLDER" not in os.environ
