from pathlib import Path

import pytest

from core.contracts.operations import Control
from execution.trading_state import Order, TradingState, write


def test_without_a_file_trading_is_active(tmp_path: Path) -> None:
    assert TradingState(tmp_path / "control.json").state == "active"
    assert TradingState(None).state == "active"


def test_a_written_halt_is_seen_and_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "home" / "control.json"
    trading = TradingState(path)
    write(path, Order("halted", "ann", "news", 5))
    assert trading.poll()
    assert not trading.poll()
    assert trading.state == TradingState(path).state == "halted"
    assert (trading.current.by, trading.current.reason) == ("ann", "news")
    write(path, Order("active", "bob", "over", 6))
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


def test_a_message_halts_durably_and_an_older_one_does_not_undo_it(tmp_path: Path) -> None:
    trading = TradingState(tmp_path / "control.json")
    assert trading.obey(Control("halt", "live", 10, "ann", "news"))
    assert not trading.obey(Control("resume", "live", 9, "bob", "late message"))
    assert not trading.obey(Control("model", "live", 11, "bob", "", "m"))
    assert TradingState(tmp_path / "control.json").state == "halted"
    assert trading.obey(Control("resume", "live", 11, "bob", "over"))
    assert trading.state == "active"
