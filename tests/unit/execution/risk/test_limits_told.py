"""The audit trail hears of edited limits without anybody who trades waiting for its lock."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import audit_log
from core.clock import ManualClock
from core.file_lock import locked
from core.sections import ExecutionSettings, RunSettings
from core.trading_control import ControlCommand, write
from execution.listeners import Listeners
from execution.order_path.quotes import LiveQuotes
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.limits_told import ACTION, LimitsTold
from execution.risk.trading_state import TradingState
from tests.support.memory_bus import MemoryBus
from tests.support.waiting import until

RUN = RunSettings("live", "demo", "simulated", "model")


class Desk:
    """What listens, on a home whose audit log somebody else has locked."""

    def __init__(self, home: Path) -> None:
        self.home, self.stop = home, threading.Event()
        self.trading = TradingState(home / "control.json")
        self.limits = LimitsFile("simulated", of_settings(ExecutionSettings()), home)
        self.listeners = Listeners(
            RUN, MemoryBus(), LiveQuotes(), self.trading, self.stop, self.limits,
            clock=ManualClock(1_700_000_000_000_000),
        )  # fmt: skip

    def edit(self, name: str) -> None:
        (self.home / "limits.toml").write_text(f'version = "{name}"\n')
        until(lambda: self.limits.rules.version.startswith(f"{name}+"))

    def in_log(self) -> list[str]:
        path = audit_log.path_in(self.home)
        lines = [event for event in audit_log.read(path) if event.action == ACTION]
        return [line.detail.split(" was changed while trading: ")[1][:1] for line in lines]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    desk.listeners.start()
    yield desk
    desk.stop.set()
    desk.listeners.join()
    desk.listeners.close()


def test_limits_and_halts_are_taken_up_while_the_log_is_locked(desk: Desk) -> None:
    """One thread sees all three: it did none of it while it waited."""
    with locked(desk.home / "audit.lock"):
        desk.edit("a")
        desk.edit("b")
        write(desk.home / "control.json", ControlCommand("halted", "ann", "news", 5))
        until(lambda: desk.trading.state == "halted")
        assert desk.in_log() == []
    until(lambda: desk.in_log() == ["a", "b"])


def test_a_stop_waits_for_what_is_still_to_be_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.listeners.start()
    closing = threading.Thread(target=desk.listeners.close)
    with locked(tmp_path / "audit.lock"):
        desk.edit("a")
        desk.stop.set()
        desk.listeners.join()
        closing.start()
        assert desk.in_log() == []
    closing.join()
    assert desk.in_log() == ["a"]


def test_a_log_that_takes_nothing_is_asked_again_and_at_last_the_text_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = LimitsFile("simulated", of_settings(ExecutionSettings()), tmp_path)
    audit_log.path_in(tmp_path).mkdir()  # nobody can append to that
    (tmp_path / "limits.toml").write_text('version = "a"\n')
    teller = LimitsTold(RUN, limits, again_s=0.01)
    teller.start()
    assert limits.poll()
    with caplog.at_level(logging.WARNING):
        teller.take(1)
        until(lambda: caplog.text.count("has to wait") > 1)
        teller.close()
    assert "has no text of limits a+" in caplog.text
    assert 'version = "a"' in caplog.text
