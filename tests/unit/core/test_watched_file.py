"""A file is looked at in time, and never so often that it costs more than what it guards."""

import time
from pathlib import Path

import pytest

from core.watched_file import WatchedFile


def test_each_change_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    file = WatchedFile(path, 0)
    assert not file.has_changed()
    for act in (lambda: path.write_text("a"), lambda: path.write_text("ab"), path.unlink):
        act()
        assert file.has_changed()
        assert not file.has_changed()
    path.symlink_to(tmp_path / "nowhere")
    assert file.has_changed()  # it is there, and cannot be read


def test_it_is_looked_at_again_after_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    path = tmp_path / "keys.json"
    file = WatchedFile(path, 0.01)
    assert not file.has_changed()
    path.write_text("a")
    now_s[0] += 0.009
    assert not file.has_changed()
    now_s[0] += 0.002
    assert file.has_changed()
