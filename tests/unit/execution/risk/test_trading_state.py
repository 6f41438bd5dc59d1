from pathlib import Path

import pytest

from core.contracts.operations import Control
from core.trading_control import ControlCommand, write
from execution.risk import trading_state
from execution.risk.trading_state import TradingState


def test_without_a_file_trading_is_active(tmp_path: Path) -> None:
    assert TradingState(tmp_path / "control.json").state == "active"
    assert TradingState(None).state == "active"


def test_a_written_halt_is_seen_and_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "home" / "control.json"
    trading = TradingState(path)
    write(path, ControlCommand("halted", "ann", "news", 5))
    assert trading.poll()
    assert not trading.poll()
    assert trading.state == TradingState(path).state == "halted"
    assert (trading.current.by, trading.current.reason) == ("ann", "news")
    write(path, ControlCommand("active", "bob", "over", 6))
    assert trading.poll()
    assert trading.state == "active"


def test_the_file_of_the_command_line_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    path.write_text('{"state": "halted", "by": "ann", "reason": "news", "ts_us": 5}\n')
    assert TradingState(path).state == "halted"


@pytest.mark.parametrize("content", ["", "{", '{"state": "paused"}'])
def test_a_file_that_cannot_be_read_halts(tmp_path: Path, content: str) -> None:
    path = tmp_path / "control.json"
    path.write_text(content)
    trading = TradingState(path)
    assert trading.state == "halted"
    assert str(path) in trading.current.reason


def test_a_message_halts_durably_and_no_message_resumes(tmp_path: Path) -> None:
    trading = TradingState(tmp_path / "control.json")
    assert trading.obey(Control("halt", "live", 10, "ann", "news"))
    assert not trading.obey(Control("resume", "live", 11, "bob", "whoever that is"))
    assert not trading.obey(Control("model", "live", 11, "bob", "", "m"))
    assert TradingState(tmp_path / "control.json").state == "halted"
    write(tmp_path / "control.json", ControlCommand("active", "bob", "over", 12))
    assert trading.poll()
    assert not trading.obey(Control("halt", "live", 11, "ann", "late message"))
    assert trading.state == "active"


def test_the_stricter_word_of_person_and_breaker_holds(tmp_path: Path) -> None:
    control, breakers = tmp_path / "control.json", tmp_path / "breakers.json"
    trading = TradingState(control, breakers)
    assert trading.trip(ControlCommand("reducing", "breaker rejects", "many", 5))
    assert not trading.trip(ControlCommand("reducing", "breaker latency", "slow", 6))
    write(control, ControlCommand("halted", "ann", "news", 7))
    trading.poll()
    assert trading.state == TradingState(control, breakers).state == "halted"
    write(control, ControlCommand("active", "bob", "over", 8))  # lifts what tripped before it
    trading.poll()
    assert trading.state == TradingState(control, breakers).state == "active"
    assert trading.trip(ControlCommand("halted", "breaker crash", "again", 9))
    assert TradingState(control, breakers).current.by == "breaker crash"


def test_a_breaker_takes_back_its_own_word_only(tmp_path: Path) -> None:
    trading = TradingState(tmp_path / "control.json", tmp_path / "breakers.json")
    trading.trip(ControlCommand("reducing", "breaker disconnected", "gone", 5))
    assert not trading.trip(ControlCommand("active", "breaker drift", "", 6))
    assert trading.trip(ControlCommand("active", "breaker disconnected", "back", 6))
    assert trading.state == "active"


def test_a_breakers_file_that_cannot_be_read_halts_until_a_person_resumes(tmp_path: Path) -> None:
    (tmp_path / "breakers.json").write_text("{")
    write(tmp_path / "control.json", ControlCommand("active", "bob", "long ago", 5))
    trading = TradingState(tmp_path / "control.json", tmp_path / "breakers.json")
    assert trading.state == "halted"
    write(tmp_path / "control.json", ControlCommand("active", "bob", "looked at it", 2**60))
    trading.poll()
    assert trading.state == "active"


def test_taking_back_one_breakers_word_leaves_anothers(tmp_path: Path) -> None:
    state = TradingState(tmp_path / "control.json", tmp_path / "breakers.json")
    for ts_us in (1, 2):
        state.trip(ControlCommand("reducing", "breaker disconnected", "away", ts_us))
    state.trip(ControlCommand("reducing", "breaker drift", "the clock jumped", 3))
    assert state.trip(ControlCommand("active", "breaker disconnected", "back", 4))
    assert (state.state, state.current.by) == ("reducing", "breaker drift")
    assert TradingState(tmp_path / "control.json", tmp_path / "breakers.json").state == "reducing"


def test_a_breaker_trips_although_the_clock_went_back_behind_a_resume(tmp_path: Path) -> None:
    write(tmp_path / "control.json", ControlCommand("active", "ann", "over", 1_000))
    state = TradingState(tmp_path / "control.json", tmp_path / "breakers.json")
    state.trip(ControlCommand("halted", "breaker crash", "fell", 10))
    assert state.state == "halted"
    write(tmp_path / "control.json", ControlCommand("active", "ann", "over", 2_000))
    state.poll()
    assert state.state == "active"


def test_what_holds_is_said_to_be_written_only_once_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = TradingState(tmp_path / "control.json", tmp_path / "breakers.json")
    meanwhile = list[tuple[str, bool]]()

    def write_late(path: Path, order: ControlCommand) -> None:
        meanwhile.append((state.state, state.is_written))
        write(path, order)

    monkeypatch.setattr(trading_state, "write", write_late)
    state.trip(ControlCommand("halted", "breaker crash", "fell", 1))
    assert (state.state, state.is_written) == ("halted", True)
    assert meanwhile == [("halted", False)], "it holds at once"
