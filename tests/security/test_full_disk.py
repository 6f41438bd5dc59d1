"""A full disk costs logs, not the stack: processes stay, exits go on, entries stop before it."""

import subprocess
import sys
import time
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from adapters.bus.base import Bus
from adapters.simulator.markets.generated_market import GeneratedMarket
from cli.stack.process_spec import ProcessSpec
from cli.stack.processes import Stack
from core import trading_control
from core.contracts import codec
from core.contracts.operations import RiskState
from core.contracts.order import EventKind, OrderEvent
from core.contracts.signal import Signal
from core.contracts.tick import TICK
from core.topics import ORDER_EVENTS, RISK, SIGNALS
from execution.risk.trading_state import TradingState
from tests.support.live_execution import ACCOUNT, SYMBOL, execution
from tests.support.live_execution import send as send_ticks
from tests.support.small_disk import fill, fill_up, small_disk
from tests.support.waiting import until

__all__ = ["small_disk"]

_TINY_SERVICE = Path(__file__).parents[1] / "integration" / "tiny_service.py"
T = TypeVar("T")


def talker(name: str, journal: Path, *, mended: bool = False) -> ProcessSpec:
    command = (sys.executable, str(_TINY_SERVICE), name, str(journal), "talks")
    return ProcessSpec(name, command, stop_wait_s=2, after_full_disk=mended)


@pytest.mark.process
def test_the_supervisor_and_its_processes_outlive_a_full_disk(
    small_disk: Path, tmp_path: Path
) -> None:
    home, journal = small_disk / "home", tmp_path / "journal"
    journal.touch()
    with Stack(home, {}, [talker("one", journal), talker("two", journal)]) as stack:
        stack.start_all()
        log = home / "logs" / "one.log"
        until(lambda: log.stat().st_size)
        filled = fill_up(small_disk)
        full_at = log.stat().st_size
        until(lambda: log.stat().st_size % 4096 == 0)  # its last page is full: what follows is lost
        before = {name: state.pid for name, state in stack.state().items()}
        killed = stack.kill9("two")  # so that the supervisor has something to say itself
        until(lambda: stack.state()["two"].pid not in (0, killed))
        assert stack.state()["one"].pid == before["one"]
        assert log.stat().st_size <= full_at + 4096
        for path in filled:
            path.unlink()
        until(lambda: b"pieces of this log were dropped" in log.read_bytes())
        until(lambda: stack.state()["two"].pid)
        told_at = log.stat().st_size
        until(lambda: log.stat().st_size > told_at)
        assert stack.state()["one"].restarts == 0
    assert stack.drained is not None
    assert stack.drained.killed == ()


def test_what_logs_to_a_full_disk_by_itself_goes_on() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here, a file whose disk is always full")
    program = (
        "from core import log; import logging; log.setup('x');"
        "[logging.getLogger('x').error('line') for _ in range(1000)]; print('went on', flush=True)"
    )
    with full.open("wb") as errors:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=errors, check=False
        )
    assert done.stdout == b"went on\n"


def test_a_halt_on_a_full_disk_holds(small_disk: Path) -> None:
    trading = TradingState(small_disk / "control.json", small_disk / "breakers.json")
    fill_up(small_disk)
    assert trading.trip(trading_control.ControlCommand("reducing", "breaker disk", "full", 5))
    assert trading.state == "reducing"
    with pytest.raises(OSError, match="No space left"):
        trading.halt(trading_control.ControlCommand("halted", "ann", "news", 6))
    assert trading.state == "halted"


@pytest.mark.process
@pytest.mark.heavy(suite="security")
def test_a_server_that_a_full_disk_leaves_broken_is_started_again(
    small_disk: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    journal.touch()
    specs = [talker("bus", journal, mended=True), talker("other", journal)]
    with Stack(small_disk / "home", {}, specs) as stack:
        stack.start_all()
        before = {name: state.pid for name, state in stack.state().items()}
        filled = fill_up(small_disk)
        log = small_disk / "home" / "logs" / "bus.log"
        until(lambda: log.stat().st_size % 4096 == 0)  # its last page is full: what follows is lost
        for path in filled:
            path.unlink()
        until(lambda: b"pieces of this log were dropped" in log.read_bytes())
        until(lambda: stack.state()["bus"].pid not in (0, before["bus"]))
        assert stack.state()["other"].pid == before["other"]


@pytest.mark.process
@pytest.mark.heavy(suite="security")
def test_trading_reduces_before_the_disk_is_full_and_exits_go_on_when_it_is(
    small_disk: Path, tmp_path: Path
) -> None:
    home = small_disk / "home"
    home.mkdir()
    (home / "limits.toml").write_text('version = "t"\n[breakers]\nmin_free_mib = 12\n')
    with execution(home, tmp_path / "bus") as (bus, process):
        market = GeneratedMarket((SYMBOL,), "sim", 7)
        send_signal(bus, market, "held", horizon_s=6)
        until(lambda: ("held", "entry", EventKind.FILLED) in story(bus))
        filler = fill(small_disk, leave_mib=8)
        until(lambda: states(bus)[-1] == ("reducing", "breaker disk"))
        send_signal(bus, market, "late", horizon_s=6)
        until(lambda: ("late", "entry", EventKind.DENIED) in story(bus))
        rest = fill_up(small_disk / "home")
        until(lambda: ("held", "horizon", EventKind.FILLED) in story(bus))
        assert process.poll() is None
        for path in (filler, *rest):
            path.unlink()
        until(lambda: states(bus)[-1][0] == "active")
        send_signal(bus, market, "again", horizon_s=6)
        until(lambda: ("again", "entry", EventKind.FILLED) in story(bus))


def send_signal(bus: Bus, market: GeneratedMarket, name: str, horizon_s: float) -> None:
    """A wish to buy at the market as it is, with the quote that goes with it."""
    now = time.time_ns() // 1000
    quote = market.tape("sim", SYMBOL).last_until(now // 1000)
    assert quote is not None
    tick = np.zeros(1, TICK)
    tick["time_msc"], tick["bid"], tick["ask"] = now // 1000, quote.bid, quote.ask
    send_ticks(bus, "sim", tick, now)
    signal = Signal(
        signal_id=name, run_id="live", mode="demo", account=ACCOUNT, strategy="model",
        source="sim", symbol=SYMBOL, ts_event_us=now, ts_init_us=now, time_msc=now // 1000, seq=0,
        target=1.0, reference_price=(quote.bid + quote.ask) / 2, stop_price=quote.bid * 0.97,
        horizon_us=now + round(horizon_s * 1e6), expires_us=now + 30_000_000, confidence=0.6,
        model="model", prediction_id="",
    )  # fmt: skip
    bus.publish(SIGNALS, f"sim.{SYMBOL}", codec.encode(signal))


def story(bus: Bus) -> list[tuple[str, str, EventKind]]:
    events = [m for m in messages(bus, ORDER_EVENTS) if isinstance(m, OrderEvent)]
    return [(e.signal_id, e.purpose, e.kind) for e in events]


def states(bus: Bus) -> list[tuple[str, str]]:
    states = [m for m in messages(bus, RISK) if isinstance(m, RiskState)]
    return [(m.state, m.by) for m in states] or [("", "")]


def messages(bus: Bus, topic: object) -> list[object]:
    reader, decoded = bus.subscribe(topic), []  # type: ignore[arg-type]
    while (message := reader.next(0.2)) is not None:
        decoded.append(codec.decode(topic.name, message.payload))  # type: ignore[attr-defined]
    reader.close()
    return decoded
