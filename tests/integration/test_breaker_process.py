"""A crash on the quote stream halts the real process; a person resumes; it holds across a kill."""

import time
from pathlib import Path

import pytest

from adapters.bus.base import Bus
from core import trading_control
from core.clock import SystemClock
from core.contracts import codec
from core.contracts.operations import RiskState
from core.topics import RISK
from execution.risk.trading_state import TradingState
from tests.support import live_execution
from tests.support.waiting import until

pytestmark = pytest.mark.process


def test_prices_that_fall_halt_the_live_process_until_a_person_resumes(tmp_path: Path) -> None:
    with live_execution.execution(tmp_path) as (bus, process):
        until(lambda: _said(bus) == ("active", ""))
        now_ms = time.time_ns() // 1_000_000
        live_execution.quiet(bus, "calm", now_ms)
        live_execution.fall(bus, "calm", now_ms)
        until(lambda: _said(bus) == ("halted", "breaker crash"))
        trading_control.resume(tmp_path, "ann", "looked at", SystemClock())
        until(lambda: _said(bus) == ("active", "ann"))
        live_execution.quiet(bus, "other", now_ms)
        live_execution.fall(bus, "other", time.time_ns() // 1_000_000)
        until(lambda: _said(bus) == ("halted", "breaker crash"))
        process.kill()
    after = TradingState(tmp_path / "control.json", live_execution.tripped(tmp_path))
    assert after.state == "halted", "what was told survives"


def _said(bus: Bus) -> tuple[str, str]:
    last = bus.last(RISK)
    if last is None:
        return "", ""
    state = codec.decode(RISK.name, last.payload)
    assert isinstance(state, RiskState)
    return state.state, state.by
