"""The last third of a segment is for exits; a disk with room gives a new segment before that."""

import itertools
import logging
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from execution.journal.journal import Journal
from execution.journal.space import KEPT, Room
from tests.support.traded_journal import trade

MIB = 1 << 20


class Usage(NamedTuple):
    """What shutil.disk_usage answers."""

    total: int
    used: int
    free: int


class Seconds:
    """A timer that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def seconds(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def nearly_used(path: Path) -> Journal:
    """A journal of which less is left than is kept for exits."""
    journal, trades = Journal(path, segment=5 * MIB), itertools.count(1)
    while journal.room >= KEPT:
        for records in trade(next(trades)):
            journal.append(records)
    return journal


def test_with_space_the_journal_goes_on_in_a_new_segment_before_its_last_third(
    tmp_path: Path,
) -> None:
    journal = nearly_used(tmp_path / "journal")
    assert Room(journal, Seconds()).for_signals()
    assert journal.room >= KEPT
    assert len(list(tmp_path.glob("journal*"))) > 1
    journal.close()


def test_on_a_full_disk_signals_wait_until_there_is_space_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal, timer = nearly_used(tmp_path / "journal"), Seconds()
    room = Room(journal, timer)
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(shutil, "disk_usage", lambda _: Usage(MIB, MIB, 0))
        assert not room.for_signals()
        assert not room.for_signals()
    assert caplog.text.count("signals wait on the bus") == 1
    assert not room.for_signals(), "the disk is asked once a second"
    timer.sleep(1.0)
    assert room.for_signals()
    assert room.free_mib() > 0
    journal.close()
