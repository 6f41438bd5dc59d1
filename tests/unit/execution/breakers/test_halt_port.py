import socket
from pathlib import Path

import pytest

from core.trading_control import ControlCommand, halt_running, port_path_in
from execution.breakers.halt_port import HaltPort
from execution.risk import trading_state
from execution.risk.trading_state import TradingState

HALT = ControlCommand("halted", "ann", "news", 5)


def test_a_halt_is_in_force_when_it_is_answered_and_survives(tmp_path: Path) -> None:
    trading = TradingState(tmp_path / "control.json")
    with HaltPort(tmp_path, trading):
        assert halt_running(tmp_path, HALT)
        assert trading.current == HALT
    assert TradingState(tmp_path / "control.json").state == "halted"
    assert not port_path_in(tmp_path).exists()


def test_nothing_else_is_taken_and_nonsense_does_not_stop_it(tmp_path: Path) -> None:
    trading = TradingState(tmp_path / "control.json")
    with HaltPort(tmp_path, trading) as port:
        assert not halt_running(tmp_path, ControlCommand("active", "bob", "resume", 9))
        for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b'{"state":"\xff"}\n'):
            with socket.create_connection(("127.0.0.1", port.port)) as call:
                call.sendall(nonsense)
                assert call.recv(64) == b""
        assert trading.state == "active"
        assert halt_running(tmp_path, HALT)


def test_a_disk_that_takes_nothing_does_not_keep_it_from_halting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    trading = TradingState(tmp_path / "control.json")
    monkeypatch.setattr(trading_state, "write", full)
    with HaltPort(tmp_path, trading):
        assert halt_running(tmp_path, HALT)
        assert trading.state == "halted"


def test_nobody_answers_when_nothing_runs(tmp_path: Path) -> None:
    assert not halt_running(tmp_path, HALT)
